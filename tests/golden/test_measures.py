"""Measures against values computed independently (METHODS.md, golden values), and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cbir.evaluation.measures import MEASURES, STUDY_MEASURES
from cbir.evaluation.ranking import Ranking

PUBLISHED = Ranking.of_relevance(np.array([1, 0, 1, 0, 0, 1, 1, 0]), 4, 8)


@pytest.mark.parametrize(
    ("name", "k", "expected"),
    [
        ("precision", 3, 0.666667),
        ("precision", 5, 0.4),
        ("precision", 8, 0.5),
        ("average_precision", 3, 0.416667),
        ("average_precision", 8, 0.684524),
        ("ndcg", 3, 0.703918),
        ("ndcg", 5, 0.585570),
        ("ndcg", 8, 0.854753),
        ("r_precision", 8, 0.5),
        ("map_at_r", 8, 0.416667),
        ("hit", 1, 1),
        ("recall", 3, 0.5),
        ("reciprocal_rank", 8, 1),
    ],
)
def test_the_published_ranking_has_the_published_values(name, k, expected):
    assert MEASURES[name](PUBLISHED, k) == pytest.approx(expected, abs=1e-6)


GRADED = Ranking(1, np.array([1, 0, 2, 3, 1]), np.array([1, 2, 1, 1]))
"""A query of grade 1 among the grades 0-3; gains (3 - distance): 3, 2, 2, 1, 3."""


@pytest.mark.parametrize(
    ("name", "k", "expected"),
    [
        # DCG 3 + 2/log2(3) + 2/2 over the best, 3 + 3/log2(3) + 2/2
        ("graded_ndcg", 3, (3 + 2 / 1.5849625 + 1) / (3 + 3 / 1.5849625 + 1)),
        ("grade_distance", 4, (0 + 1 + 1 + 2) / 4),
        ("far_share", 4, 0.25),
        ("vote_accuracy", 5, 1),
        # shares .4 of grade 1, .2 of each other one
        ("brier", 5, 0.36 + 3 * 0.04),
    ],
)
def test_graded_values_by_hand(name, k, expected):
    assert MEASURES[name](GRADED, k) == pytest.approx(expected, abs=1e-6)


def test_a_tied_vote_goes_to_the_label_whose_best_hit_ranks_first():
    tied = np.array([2, 1, 1, 2, 0])
    assert MEASURES["vote_accuracy"](Ranking(2, tied, np.array([1, 2, 2])), 4) == 1
    assert MEASURES["vote_accuracy"](Ranking(1, tied, np.array([1, 2, 2])), 4) == 0


def of_votes(*pairs: tuple[int, int]) -> list[Ranking]:
    """One hit a query: its label is the vote."""
    return [Ranking(label, np.array([vote]), np.array([9, 9, 9])) for label, vote in pairs]


def test_kappa_by_hand():
    # Squared distances 0, 1, 0, 0 sum to 1; by the margins (2, 1, 1) × (1, 2, 1) / 4 they would be 20 / 4.
    assert STUDY_MEASURES["quadratic_kappa"](of_votes((0, 0), (0, 1), (1, 1), (2, 2)), 1) == pytest.approx(
        1 - 1 / 5
    )


def test_kappa_of_full_agreement_and_of_a_constant_answer():
    assert STUDY_MEASURES["quadratic_kappa"](of_votes((0, 0), (1, 1), (2, 2)), 1) == 1
    assert STUDY_MEASURES["quadratic_kappa"](of_votes((0, 1), (1, 1), (2, 1)), 1) == 0
    assert np.isnan(STUDY_MEASURES["quadratic_kappa"](of_votes((1, 1), (1, 1)), 1))


def test_the_area_counts_ties_half_and_knows_the_classes_that_queries_have():
    # Class 0 against 1: positives score 1 and 0, the negative scores 0: (1 + .5) / 2. Class 1 mirrors it.
    assert STUDY_MEASURES["knn_auc"](of_votes((0, 0), (0, 1), (1, 1)), 1) == pytest.approx(0.75)
    assert np.isnan(STUDY_MEASURES["knn_auc"](of_votes((0, 0), (0, 1)), 1))


def test_calibration_error_by_hand():
    # Two hits agree (share 1) and are wrong once in two; two hits differ (share .5), the first is right.
    sure = [Ranking(label, np.array([0, 0]), np.array([9, 9])) for label in (0, 1)]
    unsure = [Ranking(0, np.array([0, 1]), np.array([9, 9])) for _ in range(2)]
    assert STUDY_MEASURES["ece"](sure + unsure, 2) == pytest.approx((1 + 1) / 4)
