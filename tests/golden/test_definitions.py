"""Other people's definitions against values computed by hand from what their code says."""

from __future__ import annotations

import numpy as np
import pytest

from cbir.evaluation.definitions import DEFINITIONS
from cbir.evaluation.measures import MEASURES
from cbir.evaluation.ranking import Ranking

PUBLISHED = Ranking.of_relevance(np.array([1, 0, 1, 0, 0, 1, 1, 0]), 4, 8)
"""R = 4; precisions at the relevant: 1, 2/3, 3/6, 4/7."""

FEW = Ranking.of_relevance(np.array([0, 1, 0, 0, 1]), 2, 9)
"""R = 2 < k = 5; precisions at the relevant: 1/2, 2/5."""

MANY = Ranking.of_relevance(np.array([1, 1, 0]), 20, 40)
"""R = 20; the list was cut at 3."""

NONE = Ranking.of_relevance(np.array([0, 0, 0]), 2, 9)

LOG2_3, LOG2_6 = 1.5849625, 2.5849625


def value(definition: str, name: str, ranking: Ranking, k: int) -> float:
    return DEFINITIONS[definition].measures[name].value(ranking, k)


@pytest.mark.parametrize(
    ("definition", "name", "ranking", "k", "expected"),
    [
        ("oml", "cmc@k", PUBLISHED, 1, 1),
        ("oml", "cmc@k", FEW, 1, 0),
        ("oml", "precision@k", PUBLISHED, 3, 2 / 3),
        ("oml", "precision@k", PUBLISHED, 5, 2 / 4),
        ("oml", "precision@k", PUBLISHED, 8, 4 / 4),
        ("oml", "precision@k", FEW, 5, 2 / 2),
        ("oml", "precision@k", MANY, 10, 2 / 3),  # k is clipped to the list
        ("oml", "map@k", PUBLISHED, 3, (1 + 2 / 3) / 2),
        ("oml", "map@k", PUBLISHED, 8, (1 + 2 / 3 + 3 / 6 + 4 / 7) / 4),
        ("oml", "map@k", FEW, 3, 1 / 2),
        ("oml", "map@k", NONE, 3, 0),
        ("oml", "map@k (old)", PUBLISHED, 3, (1 + 2 / 3) / 3),
        ("oml", "map@k (old)", FEW, 3, (1 / 2) / 2),
        ("oml", "map@k (old)", MANY, 10, 2 / 3),
        ("tfsim", "precision@k", PUBLISHED, 5, 2 / 5),
        ("tfsim", "precision@k", FEW, 5, 2 / 5),
        ("tfsim", "recall@k", PUBLISHED, 3, 1),
        ("tfsim", "recall@k", NONE, 3, 0),
        ("tfsim", "map@k", PUBLISHED, 3, (1 + 2 / 3) / 4),
        ("tfsim", "map@k", FEW, 5, (1 / 2 + 2 / 5) / 2),
        ("tfsim", "map@k (clip_at_r)", PUBLISHED, 8, (1 + 2 / 3) / 4),
        ("tfsim", "map@k (clip_at_r)", FEW, 5, (1 / 2) / 2),
        ("tfsim", "ndcg@k", PUBLISHED, 3, (1 + 1 / 2) / (1 + 1 / LOG2_3)),
        ("tfsim", "ndcg@k", FEW, 5, (1 / LOG2_3 + 1 / LOG2_6) / (1 + 1 / LOG2_3)),
        ("tfsim", "ndcg@k", FEW, 3, (1 / LOG2_3) / 1),  # the ideal is of the one hit found
        ("tfsim", "ndcg@k", NONE, 3, 0),
        ("dkfz", "P@k", PUBLISHED, 3, 2 / 3),
        ("dkfz", "P@k", PUBLISHED, 5, 2 / 4),
        ("dkfz", "P@k", PUBLISHED, 8, 2 / 4),  # hits after R are not looked at: oml has 4 / 4
        ("dkfz", "P@k", FEW, 5, 1 / 2),
        ("mahbod", "mAP@k", PUBLISHED, 5, (1 + 2 / 3) / 2),
        ("mahbod", "mAP@k", FEW, 5, (1 / 2 + 2 / 5) / 2),
        ("mahbod", "mAP@k", NONE, 3, 0),
        ("mahbod", "ACC@1", FEW, 1, 0),
        ("mahbod", "ACC@3", FEW, 3, 1),
    ],
)
def test_values_by_hand(definition, name, ranking, k, expected):
    assert value(definition, name, ranking, k) == pytest.approx(expected, abs=1e-6)


def test_the_example_that_open_metric_learning_documents():
    """n = 3 relevant, the list 1, 1, 1, 0, 0: its documentation has precision 3/3 at 3, 4, 5 and 6."""
    ranking = Ranking.of_relevance(np.array([1, 1, 1, 0, 0]), 3, 9)
    assert [value("oml", "precision@k", ranking, k) for k in (1, 2, 3, 4, 5, 6)] == [1] * 6


def test_the_example_that_mahbods_code_documents():
    """Found y, y, n, y, j: its docstring has 0.92."""
    ranking = Ranking.of_relevance(np.array([1, 1, 0, 1, 0]), 9, 20)
    assert value("mahbod", "mAP@k", ranking, 5) == pytest.approx(0.92, abs=5e-3)


def test_the_example_that_tensorflow_similarity_documents():
    """R = 100, 50 results of which the first 10 are right: 0.10; with the last 10 right: 0.012."""
    for places, expected in ((range(10), 0.10), (range(40, 50), 0.012)):
        relevance = np.isin(np.arange(50), list(places))
        ranking = Ranking.of_relevance(relevance, 100, 900)
        assert value("tfsim", "map@k", ranking, 50) == pytest.approx(expected, abs=5e-4)


TIED = np.array([2, 1, 1, 2, 0])
"""Two votes for 1 and for 2, the first hit is a 2."""


@pytest.mark.parametrize(("label", "kindest", "old"), [(2, 1, 1), (1, 1, 0), (0, 0, 0)])
def test_a_tied_vote_is_right_for_all_who_tie_or_for_the_first(label, kindest, old):
    ranking = Ranking(label, TIED, np.array([5, 5, 5]))
    assert value("mahbod", "mMV@k", ranking, 5) == kindest
    assert value("mahbod", "mMV@k (old)", ranking, 5) == old == MEASURES["vote_accuracy"](ranking, 5)


def test_without_a_hit_there_is_nothing_found_and_no_vote():
    empty = Ranking.of_relevance(np.array([], dtype=bool), 2, 9)
    for name, definition in DEFINITIONS.items():
        for measure in definition.measures:
            found = value(name, measure, empty, 5)
            assert np.isnan(found) if measure.startswith("mMV") else found == 0
