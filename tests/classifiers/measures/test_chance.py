"""Chance, exactly: against every way to answer, weighted by how likely it is."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from posteriors import answering, draws_of

from classifiers.measures import CLASS_MEASURES, MEASURES
from classifiers.measures.chance import CHANCES, CLASS_CHANCES, majority_posteriors

LABELS = np.array([0, 0, 0, 1, 1, 2])
COUNTS = np.array([[3.0, 2.0, 1.0]])
SHARES = COUNTS[0] / 6


@pytest.fixture(scope="module")
def every_way():
    """Each of the 3⁶ ways to answer, and how likely it is when answers are drawn by prevalence."""
    ways = np.array(list(product(range(3), repeat=6)))
    return ways, SHARES[ways].prod(axis=1)


@pytest.mark.parametrize("name", sorted(set(CHANCES) - {"brier", "log_loss", "macro_auc"}))
def test_random_is_the_mean_over_every_way_to_answer(every_way, name):
    ways, likely = every_way
    values = np.array([MEASURES[name](answering(LABELS, way, 3))[0] for way in ways])
    assert CHANCES[name](COUNTS, SHARES)[0] == pytest.approx(values @ likely, abs=1e-12)


@pytest.mark.parametrize("name", sorted(set(CLASS_CHANCES) - {"auc"}))
def test_random_of_a_class_is_the_mean_over_every_way_to_answer(every_way, name):
    ways, likely = every_way
    values = np.array([CLASS_MEASURES[name](answering(LABELS, way, 3))[0] for way in ways])
    np.testing.assert_allclose(CLASS_CHANCES[name](COUNTS, SHARES)[0], likely @ values, atol=1e-12)


@pytest.mark.parametrize("name", ["brier", "log_loss", "macro_auc"])
def test_of_probabilities_it_is_what_the_prevalences_bring(name):
    prevalences = np.tile(SHARES, (6, 1))
    expected = MEASURES[name](draws_of(LABELS, prevalences))[0]
    assert CHANCES[name](COUNTS, SHARES)[0] == pytest.approx(expected, abs=1e-12)


def test_chance_follows_the_counts_of_a_draw(every_way):
    ways, likely = every_way
    weights = np.array([[2.0, 0, 1, 1, 0, 2]])
    values = np.array([
        MEASURES["accuracy"](draws_of(LABELS, np.eye(3)[way], weights))[0] for way in ways
    ])  # fmt: skip
    counts = np.array([[3.0, 1.0, 2.0]])
    assert CHANCES["accuracy"](counts, SHARES)[0] == pytest.approx(values @ likely, abs=1e-12)


def test_the_f1_of_many_images_is_what_drawing_brings():
    rng = np.random.default_rng(0)
    labels = rng.choice(3, 4000, p=[0.7, 0.2, 0.1])
    counts = np.bincount(labels)
    drawn = [
        MEASURES["macro_f1"](answering(labels, rng.choice(3, 4000, p=counts / 4000), 3))[0] for _ in range(60)
    ]
    exact = CHANCES["macro_f1"](counts[np.newaxis].astype(float), counts / 4000)[0]
    assert exact == pytest.approx(np.mean(drawn), abs=5 * np.std(drawn) / np.sqrt(60))


def test_of_several_most_frequent_classes_the_first_is_the_majority():
    assert majority_posteriors(np.array([1, 4, 4])).tolist() == [0, 1, 0]
