from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from posteriors import judged, table

from cbir.errors import ItemsError
from cbir.evaluation.intervals import Sample, group_bootstrap
from classifiers.evaluation.judged import judge
from classifiers.evaluation.summary import summarise
from classifiers.measures import MEASURES, ORDINAL


def test_what_knows_the_labels_is_a_result_and_what_does_not_is_none():
    good = summarise(judged(knows=3))
    assert good.verdicts == ()
    assert good.measures["macro_f1"].value > 0.7
    bad = summarise(judged(knows=0))
    assert any(each.startswith("no result: MCC ") for each in bad.verdicts)
    assert bad.measures["macro_auc"].unbeaten == ("random", "majority")


def test_the_interval_of_a_mean_is_that_of_the_group_bootstrap():
    made = judged()
    right = (made.posteriors.argmax(axis=1) == made.labels).astype(float)
    found = summarise(made, seed=5).measures
    sample = Sample(right, made.labels, made.groups)
    for name, kind in (("accuracy", "micro"), ("macro_sensitivity", "macro")):
        expected = group_bootstrap(sample, kind, seed=5)
        assert found[name].value == pytest.approx(sample.mean(kind))
        assert (found[name].interval.low, found[name].interval.high) == pytest.approx(
            (expected.low, expected.high)
        )


def test_patients_are_drawn_not_images():
    once = table(60, per_group=1)
    four = replace(
        once.only([row for row in range(60) for _ in range(4)]),
        paths=tuple(f"/{row}" for row in range(240)),
    )
    one, other = (summarise(judge(each, "made")).measures["accuracy"] for each in (once, four))
    assert other.value == one.value
    assert other.interval == one.interval


def test_one_patient_has_no_interval_and_beats_nothing():
    found = summarise(judged(30, per_group=30, knows=5))
    assert found.n_groups == 1
    assert found.measures["accuracy"].interval is None
    assert found.measures["accuracy"].unbeaten == ("random", "majority")
    assert "with one group there is no interval" in found.verdicts[0]


def test_the_same_seed_gives_the_same_numbers():
    assert summarise(judged(), seed=1) == summarise(judged(), seed=1)
    assert summarise(judged(), seed=1) != summarise(judged(), seed=2)


@pytest.mark.parametrize(("n_classes", "ordinal"), [(4, False), (2, True)])
def test_without_grades_there_are_no_distances(n_classes, ordinal):
    found = summarise(judged(n_classes=n_classes, ordinal=ordinal)).measures
    assert set(MEASURES) - set(found) == ORDINAL


def test_what_can_not_be_judged_is_said():
    made = table(30, 3, labels=[0, 1] * 15)
    strange = replace(made, labels=(None, *made.labels[1:]), groups=(made.groups[0], None, *made.groups[2:]))
    found = judge(strange, "made")
    assert found.notes[0] == "1 of 30 images have no label and were not judged"
    assert found.notes[1] == "no image is of '3': macro means are over the other 2 classes"
    assert found.notes[2].startswith("1 of 29 have no group: each counts as a patient of its own")
    assert np.isnan(summarise(found).classes[2].measures["sensitivity"].value)
    with pytest.raises(ItemsError, match="30 of 30 images have a label, and these are of 1 classes: 2"):
        judge(table(30, labels=[1] * 30), "made")
    with pytest.raises(ItemsError, match="0 of 90 images have a label"):
        judge(replace(table(), labels=(None,) * 90), "made")


def test_the_random_and_majority_of_a_headline():
    made = judged(200, 3, labels=[0] * 120 + [1] * 60 + [2] * 20)
    accuracy = summarise(made).measures["accuracy"]
    assert accuracy.random == pytest.approx(0.6**2 + 0.3**2 + 0.1**2)
    assert accuracy.majority == pytest.approx(0.6)
