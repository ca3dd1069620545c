from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from cbir.evaluation.baselines import BASELINES, majority_precision, random_precision
from cbir.evaluation.measures import MEASURES
from cbir.evaluation.ranking import Ranking

QUERIES = [234, 102, 39, 95, 103, 1]
GALLERY = [108, 40, 34, 52, 56, 0]


def test_the_audited_paper_has_the_chance_that_was_computed_for_it():
    assert random_precision(QUERIES, GALLERY) == pytest.approx(0.248624, abs=5e-7)
    assert majority_precision(QUERIES, GALLERY) == pytest.approx(0.407666, abs=5e-7)


def test_the_mean_over_queries_is_the_closed_form():
    study = [
        Ranking(label, np.array([], dtype=np.int64), np.array(GALLERY))
        for label, n in enumerate(QUERIES)
        for _ in range(n)
    ]
    precision = BASELINES["precision"]
    assert np.mean([precision.random(each, 10) for each in study]) == pytest.approx(0.248624, abs=5e-7)
    assert np.mean([precision.majority(each, 10, 0) for each in study]) == pytest.approx(0.407666, abs=5e-7)


@pytest.mark.parametrize("name", ["precision", "ndcg", "grade_distance"])
@pytest.mark.parametrize("k", [1, 3, 5, 8])
def test_random_is_the_mean_over_every_order_of_what_was_eligible(name, k):
    gallery = (0, 0, 1, 2, 2)
    eligible = np.bincount(gallery)
    values = [MEASURES[name](Ranking(2, np.array(order), eligible), k) for order in permutations(gallery)]
    expected = BASELINES[name].random(Ranking(2, np.array(gallery), eligible), k)
    assert expected == pytest.approx(np.mean(values))


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("label", [0, 1, 2])
def test_majority_is_the_value_of_hits_that_all_have_one_label(name, label):
    constant = Ranking(label, np.full(5, 1), np.array([9, 9, 9]))
    assert BASELINES[name].majority(constant, 5, 1) == pytest.approx(MEASURES[name](constant, 5))


@pytest.mark.parametrize(("queries", "gallery"), [([0, 0], [1, 1]), ([1, 1], [0, 0])])
def test_nothing_has_no_chance(queries, gallery):
    with pytest.raises(ValueError, match="no chance"):
        random_precision(queries, gallery)
