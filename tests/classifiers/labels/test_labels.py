"""From hits to an answer, or to none; and what an index keeps of it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from made_hits import hits_of

from classifiers.labels import LabelCalibration, LabelModel, Source, predict_label

MODEL = LabelModel(("a", "b", "c"), (0.5, 0.25, 0.25), k=4, vote_temperature=0.1)
SOURCE = Source("label", "f" * 64, generation=7, n_items=100, n_queries=90, n_groups=45)
SURE = LabelCalibration(MODEL, risk=0.1, confidence=0.9, threshold=0.6, set_cutoff=0.2, source=SOURCE)
HITS = hits_of((0.9, "a"), (0.88, "b"), (0.87, "a"), (0.8, None))
COUNTS = {"a": 50, "b": 25, "c": 25}


def test_an_answer_names_the_hits_for_and_against_it():
    found = predict_label(replace(SURE, threshold=0.5), HITS)
    assert (found.label, found.candidate, found.why) == ("a", "a", "")
    assert [hit.rank for hit in found.support] == [1, 3]
    assert [hit.rank for hit in found.against] == [2]
    assert found.n_unlabelled == 1
    assert found.is_calibrated
    assert list(found.probabilities) == ["a", "b", "c"]
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert found.probability == found.probabilities["a"]


def test_it_abstains_below_the_threshold_and_names_the_labels_that_remain():
    found = predict_label(replace(SURE, threshold=0.99), HITS)
    assert (found.label, found.candidate) == (None, "a")
    assert found.why == "0.64 is below 0.99, from where on at most 10% of answers are wrong"
    assert found.label_set == ("a", "b")


def test_it_abstains_where_no_answer_keeps_to_the_risk():
    found = predict_label(replace(SURE, threshold=None), HITS)
    assert found.label is None
    assert found.why == "no probability was found from which on at most 10% of answers are wrong"


@pytest.mark.parametrize("by", [SURE, MODEL])
def test_it_abstains_where_no_hit_has_a_label(by):
    found = predict_label(by, hits_of((0.9, None), (0.8, "new")))
    assert (found.label, found.candidate, found.n_unlabelled) == (None, "a", 2)
    assert found.why == "none of the 2 hits has a label"
    assert predict_label(by, []).why == "none of the 0 hits has a label"


def test_a_model_alone_answers_and_says_that_it_is_not_calibrated():
    found = predict_label(MODEL, HITS)
    assert (found.label, found.is_calibrated, found.label_set) == ("a", False, ("a",))


def test_equal_probabilities_go_to_the_first_class():
    even = replace(MODEL, prior=(1 / 3,) * 3)
    assert predict_label(even, hits_of((0.9, "c"), (0.9, "b"))).label == "b"


def test_the_temperature_changes_how_sure_it_is_and_not_of_what():
    plain, cooler = (predict_label(replace(MODEL, temperature=each), HITS) for each in (1.0, 0.5))
    assert plain.candidate == cooler.candidate
    assert plain.probability < cooler.probability


def test_a_posterior_is_pooled_with_the_vote_by_its_weight():
    posterior = np.array([0.01, 0.98, 0.01])
    vote, pooled, alone = (
        predict_label(replace(MODEL, weight=weight), HITS, posterior) for weight in (0.0, 0.5, 1.0)
    )
    assert (vote.label, pooled.label, alone.label) == ("a", "b", "b")
    shares = np.array([vote.probabilities[each] for each in "abc"])
    expected = np.sqrt(shares * posterior)
    np.testing.assert_allclose([pooled.probabilities[each] for each in "abc"], expected / expected.sum())
    np.testing.assert_allclose([alone.probabilities[each] for each in "abc"], posterior)


def test_a_posterior_that_nobody_knows_leaves_the_vote_alone():
    weighed = replace(MODEL, weight=0.5)
    unknown = predict_label(weighed, HITS, np.full(3, np.nan))
    assert unknown.probabilities == predict_label(weighed, HITS).probabilities


def test_a_posterior_of_zero_does_not_silence_the_neighbours():
    found = predict_label(replace(MODEL, weight=0.5), HITS, np.array([0.0, 1.0, 0.0]))
    assert found.probabilities["a"] > 0


def test_what_an_index_keeps_comes_back_as_it_was():
    said = json.loads(json.dumps(SURE.to_dict(), allow_nan=False))
    assert LabelCalibration.from_dict(said) == SURE
    never = replace(SURE, threshold=None, source=replace(SOURCE, classifier="net"))
    assert LabelCalibration.from_dict(json.loads(json.dumps(never.to_dict()))) == never


@pytest.mark.parametrize(
    ("fingerprint", "counts", "said"),
    [
        ("f" * 64, COUNTS, ""),
        ("f" * 64, {"a": 60, "b": 25, "c": 25}, ""),
        ("f" * 64, {"a": 61, "b": 25, "c": 25}, "at generation 7 with 100 labelled items, it is now "),
        (
            "f" * 64,
            {"a": 30, "b": 25},
            "at generation 7 with 100 labelled items, it is now generation 9 with 55",
        ),
        ("f" * 64, COUNTS | {"d": 1}, "at generation 7 without the label 'd', it is now generation 9"),
        ("e" * 64, COUNTS, "calibrated for extractor ffffffff…, the index has eeeeeeee…"),
    ],
)
def test_a_calibration_says_when_the_index_has_changed_much(fingerprint, counts, said):
    found = SURE.stale(fingerprint=fingerprint, generation=9, counts=counts)
    assert said in found
    assert bool(said) == bool(found)
