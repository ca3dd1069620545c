"""torchmetrics' retrieval measures: where they agree, and where not and why, both values shown."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from cbir.evaluation.measures import MEASURES
from cbir.evaluation.ranking import Ranking

K = 10


def rankings(n: int = 40) -> list[Ranking]:
    """Whole lists of thirty items in random order, one to twelve of them relevant."""
    rng = np.random.default_rng(0)
    found = []
    for number in range(n):
        relevance = rng.permutation(np.arange(30) <= number % 12)
        found.append(Ranking.of_relevance(relevance, int(relevance.sum()), 30))
    return found


@pytest.fixture(scope="module")
def torchmetrics():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("torchmetrics.functional.retrieval")


def theirs(function, relevance, scores=None, **options) -> float:
    import torch

    ranks = np.arange(len(relevance), 0, -1) if scores is None else np.asarray(scores)
    return float(function(torch.tensor(ranks, dtype=torch.float32), torch.tensor(relevance), **options))


@pytest.mark.parametrize(
    ("name", "there", "k"),
    [
        ("precision", "retrieval_precision", K),
        ("hit", "retrieval_hit_rate", K),
        ("recall", "retrieval_recall", K),
        ("ndcg", "retrieval_normalized_dcg", K),
        ("reciprocal_rank", "retrieval_reciprocal_rank", K),
        ("r_precision", "retrieval_r_precision", None),
        ("average_precision", "retrieval_average_precision", None),
    ],
)
def test_whole_lists_with_scores_above_zero_agree(name, there, k, torchmetrics):
    function, options = getattr(torchmetrics, there), {} if k is None else {"top_k": k}
    found = [theirs(function, each.relevance, **options) for each in rankings()]
    assert found == pytest.approx([MEASURES[name](each, k or 30) for each in rankings()], abs=1e-6)


GOLDEN = np.array([1, 0, 1, 0, 0, 1, 1, 0], dtype=bool)


def test_their_ap_at_k_divides_by_the_hits_found_and_ours_by_all_that_are_relevant(torchmetrics):
    there = theirs(torchmetrics.retrieval_average_precision, GOLDEN, top_k=3)
    here = MEASURES["average_precision"](Ranking.of_relevance(GOLDEN, 4, 8), 3)
    assert (there, here) == (pytest.approx((1 + 2 / 3) / 2), pytest.approx((1 + 2 / 3) / 4))


def test_they_take_hits_with_scores_of_zero_and_less_for_not_relevant_and_we_know_no_scores(torchmetrics):
    """Cosines below 0: AP, reciprocal rank and precision become 0 there; the order is the same."""
    scores = -np.arange(1.0, 9.0) / 10
    ranking = Ranking.of_relevance(GOLDEN, 4, 8)
    for name, there, expected in (
        ("average_precision", torchmetrics.retrieval_average_precision, 0.684524),
        ("reciprocal_rank", torchmetrics.retrieval_reciprocal_rank, 1),
        ("precision", torchmetrics.retrieval_precision, 0.5),
    ):
        assert theirs(there, GOLDEN, scores) == 0
        assert MEASURES[name](ranking, 8) == pytest.approx(expected, abs=1e-6)


def test_their_ndcg_averages_over_the_orders_of_a_tie_and_ours_keeps_the_order_it_got(torchmetrics):
    """Two tied hits, the relevant one first: theirs is the mean of its two places."""
    there = theirs(torchmetrics.retrieval_normalized_dcg, np.array([True, False]), [1.0, 1.0])
    here = MEASURES["ndcg"](Ranking.of_relevance(np.array([True, False]), 1, 2), 2)
    assert (there, here) == (pytest.approx((1 + 1 / np.log2(3)) / 2), 1)


def test_adaptive_k_divides_by_a_shorter_list_and_ours_by_k(torchmetrics):
    there = theirs(torchmetrics.retrieval_precision, GOLDEN, top_k=10, adaptive_k=True)
    plain = theirs(torchmetrics.retrieval_precision, GOLDEN, top_k=10)
    here = MEASURES["precision"](Ranking.of_relevance(GOLDEN, 4, 8), 10)
    assert (there, plain, here) == (0.5, pytest.approx(0.4), 0.4)


def test_a_list_cut_at_k_hides_from_them_what_was_missed_and_our_r_is_of_the_gallery(torchmetrics):
    """Recall and nDCG of the first three hits alone: their R is 2, what is in the list; ours is 4."""
    cut = GOLDEN[:3]
    ranking = Ranking.of_relevance(cut, 4, 8)
    assert theirs(torchmetrics.retrieval_recall, cut) == 1
    assert MEASURES["recall"](ranking, 3) == 0.5
    best = 1 + 1 / np.log2(3)
    assert theirs(torchmetrics.retrieval_normalized_dcg, cut) == pytest.approx(1.5 / best)
    assert MEASURES["ndcg"](ranking, 3) == pytest.approx(1.5 / (best + 0.5))
