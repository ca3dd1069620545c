"""The promises: how often an answer is wrong, and how often a set misses, over many made worlds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.calibration import label_set, one_per_group, risk_threshold, set_cutoff
from classifiers.calibration.conformal import fewest_answers

N_WORLDS = 400


def world(rng: np.random.Generator, n: int, copies: int = 1):
    """Probabilities of patients, and whether they are right: surer than they are right. Copies of each."""
    probabilities = rng.uniform(0.5, 1, n)
    is_right = rng.random(n) < rate(probabilities)
    return np.repeat(probabilities, copies), np.repeat(is_right, copies)


def rate(probabilities):
    """How often an answer of this probability is right."""
    return 1 - 0.7 * (1 - probabilities) - 0.03


def true_risk(threshold: float) -> float:
    """How often an answer from the threshold on is wrong: the mean over the uniform probabilities."""
    return 1 - rate((max(threshold, 0.5) + 1) / 2)


def share_of_broken_promises(groups_of, *, copies: int, risk: float = 0.1) -> float:
    rng = np.random.default_rng(0)
    broken = 0
    for _ in range(N_WORLDS):
        probabilities, is_right = world(rng, 150, copies)
        chosen = one_per_group(groups_of(len(probabilities)))
        threshold = risk_threshold(probabilities[chosen], is_right[chosen], risk=risk)
        broken += threshold is not None and true_risk(threshold) > risk
    return broken / N_WORLDS


def test_answers_keep_to_the_risk_in_nine_worlds_of_ten():
    assert share_of_broken_promises(np.arange, copies=1) <= 0.1


def test_one_image_a_patient_keeps_the_promise_that_all_images_break():
    assert share_of_broken_promises(lambda n: np.arange(n) // 8, copies=8) <= 0.1
    assert share_of_broken_promises(np.arange, copies=8) > 0.13


def test_a_risk_that_is_far_above_the_errors_is_answered_always():
    probabilities, is_right = world(np.random.default_rng(1), 400)
    assert risk_threshold(probabilities, is_right, risk=0.5) == 0.0


@pytest.mark.parametrize(("n", "expected"), [(77, None), (78, 0.0), (81, 0.0)])
def test_with_fewer_images_nothing_can_be_told(n, expected):
    # SciPy's binomial distribution: at most 4 wrong at 0.1 are 0.1056 of 77 and 0.0994 of 78.
    assert risk_threshold(np.full(n, 0.8), np.ones(n, dtype=bool), risk=0.1) == expected
    assert fewest_answers(0.1, 0.9) == 78
    assert fewest_answers(0.5, 0.5) == 3  # at most 1 head of 3 tosses: 1/2; of 2: 3/4


def test_it_stops_where_errors_begin():
    probabilities = np.repeat([0.95, 0.6], 80)
    is_right = np.repeat([True, False], 80)
    assert risk_threshold(probabilities, is_right, risk=0.1) == 0.61


def test_nothing_passes_where_the_surest_are_wrong():
    assert risk_threshold(np.full(100, 0.9), np.zeros(100, dtype=bool), risk=0.2) is None
    assert risk_threshold(np.zeros(0), np.zeros(0, dtype=bool), risk=0.2) is None


def test_label_sets_hold_the_label_as_often_as_promised():
    rng = np.random.default_rng(2)
    held = [(rng.beta(3, 1, 500) >= set_cutoff(rng.beta(3, 1, 39), miss=0.1)).mean() for _ in range(N_WORLDS)]
    assert np.mean(held) == pytest.approx(0.9, abs=0.01)  # exactly 1 - floor(0.1 · 40) / 40 in the mean


def test_the_cutoff_by_hand():
    assert set_cutoff(np.array([0.5, 0.1, 0.9, 0.3]), miss=0.4) == 0.3  # the second of four: floor(0.4 · 5)
    assert set_cutoff(np.array([0.5, 0.1, 0.9, 0.3]), miss=0.19) == 0.0  # too few: every label


def test_a_set_is_never_empty():
    assert label_set(np.array([0.2, 0.5, 0.3]), 0.25) == [1, 2]
    assert label_set(np.array([0.2, 0.5, 0.3]), 0.9) == [1]


@given(groups=st.lists(st.integers(0, 6), min_size=1, max_size=30), seed=st.integers(0, 9))
def test_one_row_of_each_group_is_drawn(groups, seed):
    codes = np.array(groups)
    chosen = one_per_group(codes, seed=seed)
    assert sorted(codes[chosen]) == sorted(set(groups))


def test_every_row_of_a_group_may_speak_for_it():
    assert {int(one_per_group(np.zeros(3, dtype=np.int64), seed=seed)[0]) for seed in range(30)} == {0, 1, 2}
