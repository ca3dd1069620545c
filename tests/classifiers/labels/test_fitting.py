"""Calibration on made patients: what is promised holds for patients that nobody has seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_hits import evidence_of

from cbir.errors import CalibrationError
from classifiers.labels import LabelModel, Source
from classifiers.labels.fitting import Promise, calibrate, fit_model, foretell
from classifiers.labels.worth import worth_of

START = LabelModel(("a", "b"), (0.5, 0.5), k=15)
SOURCE = Source("label", "f", generation=1, n_items=1, n_queries=1, n_groups=1)


def calibrated(evidence, risk: float = 0.1):
    return calibrate(START, evidence, Promise(risk), SOURCE)


def test_new_patients_are_answered_as_promised():
    new = evidence_of(2000, seed=99)
    risks, sets = [], []
    for seed in range(12):
        made, _ = calibrated(evidence_of(120, seed=seed))
        found = made.model.probabilities(new.ballots)
        right = found.argmax(axis=1) == new.codes
        sets.append((found[np.arange(len(new)), new.codes] >= made.set_cutoff).mean())
        if made.threshold is not None:
            risks.append(1 - right[found.max(axis=1) >= made.threshold].mean())
    assert len(risks) >= 6  # it answers at all
    assert sum(risk > 0.1 for risk in risks) <= 2
    assert np.mean(sets) == pytest.approx(0.9, abs=0.03)


def test_calibrated_probabilities_are_as_sure_as_they_are_right():
    evidence = evidence_of(400, seed=5)
    made, foretold = calibrated(evidence)
    worth = worth_of(evidence, foretold, made)
    assert worth.ece_after < 0.05 < worth.ece_before
    assert 0 < worth.ece_by_chance < 0.05
    assert worth.accuracy.value > 0.8
    assert worth.is_result
    assert worth.coverage.interval.low < worth.coverage.value < worth.coverage.interval.high
    assert worth.risk.value < 0.1
    assert worth.set_coverage.value == pytest.approx(0.9, abs=0.04)
    assert 1 <= worth.set_size <= 2


def test_labels_without_a_trace_in_the_hits_are_no_result_and_no_answer():
    evidence = evidence_of(200, seed=6, signal=1e-9)
    made, foretold = calibrated(evidence)
    worth = worth_of(evidence, foretold, made)
    assert made.threshold is None
    assert (worth.is_result, worth.risk, worth.coverage.value) == (False, None, 0.0)


def test_a_probability_is_never_by_a_model_that_saw_the_patient():
    evidence = evidence_of(50, seed=7)
    plain = foretell(START, evidence)
    turned = replace(evidence, codes=np.where(evidence.groups == 3, 1 - evidence.codes, evidence.codes))
    own = evidence.groups == 3
    np.testing.assert_array_equal(foretell(START, turned)[own], plain[own])
    assert (foretell(START, turned)[~own] != plain[~own]).any()


def test_a_classifier_that_knows_gets_the_weight_and_one_that_guesses_does_not():
    evidence = evidence_of(200, seed=8)
    rng = np.random.default_rng(0)
    right = np.eye(2)[evidence.codes] * 0.9 + 0.05
    guess = rng.dirichlet([1, 1], len(evidence))
    knows, guesses = (fit_model(START, replace(evidence, posteriors=each)) for each in (right, guess))
    assert knows.weight > 0.5
    assert guesses.weight < 0.2
    assert fit_model(START, evidence).weight == 0
    with_classifier = replace(evidence, posteriors=right)
    made, foretold = calibrated(with_classifier)
    worth = worth_of(with_classifier, foretold, made, vote_alone=foretell(START, evidence))
    assert worth.classifier_helps


def test_the_same_evidence_gives_the_same_calibration():
    made = [calibrated(evidence_of(60, seed=9))[0] for _ in range(2)]
    assert made[0] == made[1]


def test_a_class_without_an_item_and_a_single_patient_are_refused():
    evidence = evidence_of(20, seed=1)
    with pytest.raises(CalibrationError, match="empty class: none of 40 images is labelled 'b'"):
        calibrated(replace(evidence, codes=np.zeros_like(evidence.codes)))
    with pytest.raises(CalibrationError, match="All 40 images are of one patient"):
        calibrated(replace(evidence, groups=np.zeros_like(evidence.groups)))
