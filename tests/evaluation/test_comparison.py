from __future__ import annotations

import numpy as np
import pytest

from cbir.evaluation.comparison import compare, holm
from cbir.evaluation.intervals import Sample


def sample_of(values: np.ndarray, per_group: int = 1) -> Sample:
    return Sample(
        np.asarray(values, dtype=np.float64), np.arange(len(values)) % 2, np.arange(len(values)) // per_group
    )


def test_a_system_is_not_better_than_itself():
    values = np.random.default_rng(0).random(40)
    found = compare(sample_of(values), values)
    assert (found.difference, found.p_value) == (0, 1)
    assert (found.interval.low, found.interval.high) == (0, 0)


def test_with_few_patients_every_flip_is_tried():
    # All of five patients are better: of 32 flips only none and all are as extreme.
    found = compare(sample_of(np.array([0.5, 0.4, 0.6, 0.5, 0.7])), np.zeros(5))
    assert found.p_value == 2 / 32


def test_drawn_flips_agree_with_all_of_them():
    values = np.random.default_rng(1).normal(0.25, 1, 12)
    every = compare(sample_of(values), np.zeros(12), n_permutations=10_000).p_value
    drawn = compare(sample_of(values), np.zeros(12), n_permutations=4_000).p_value
    assert every != drawn
    assert drawn == pytest.approx(every, abs=0.03)


def test_a_patient_with_many_images_is_one_patient():
    rng = np.random.default_rng(2)
    differences = np.repeat(rng.normal(0.2, 1, 20), 10)
    as_patients = compare(sample_of(differences, per_group=10), np.zeros(200)).p_value
    as_images = compare(sample_of(differences), np.zeros(200)).p_value
    assert as_images < 0.05 < as_patients


def test_chance_alone_is_found_significant_as_often_as_promised():
    rng = np.random.default_rng(3)
    p_values = [compare(sample_of(rng.normal(size=30)), np.zeros(30), n_permutations=400).p_value
                for _ in range(200)]  # fmt: skip
    assert np.mean(np.array(p_values) <= 0.05) == pytest.approx(0.05, abs=0.04)


def test_a_query_that_one_system_could_not_answer_counts_for_neither():
    values = np.array([1.0, 0.5, np.nan, 1.0])
    assert compare(sample_of(values), np.array([0.0, 0.5, 1.0, np.nan])).difference == 0.5


def test_different_queries_are_refused():
    with pytest.raises(ValueError, match="3 queries against 2"):
        compare(sample_of(np.zeros(3)), np.zeros(2))


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([]) == []
