from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.ranking import Ranking


def ndcg(ranking: Ranking, k: int) -> float:
    """Binary nDCG@k: relevant hits discounted by log2(rank + 1), against the best possible list.

    The best possible has min(R, k) relevant hits first, whatever was found. NaN where nothing is relevant.

    Source: Järvelin, Kekäläinen, TOIS 2002; the discount of Burges et al., ICML 2005.
    """
    if not ranking.n_relevant:
        return math.nan
    weights = discounts(k)
    relevance = ranking.first(k) == ranking.label
    return float(weights[: len(relevance)][relevance].sum() / weights[: ranking.n_relevant].sum())


def graded_ndcg(ranking: Ranking, k: int) -> float:
    """Graded nDCG@k, for ordinal labels: a hit gains (grades - 1) - its distance in grades, linearly.

    The best possible list is that of the eligible items sorted by gain. NaN where nothing eligible gains.

    Source: Järvelin, Kekäläinen, TOIS 2002, with linear gain; the discount of Burges et al., ICML 2005.
    """
    n_grades = len(ranking.eligible)
    gains = n_grades - 1.0 - np.abs(np.arange(n_grades) - ranking.label)
    order = np.argsort(-gains, kind="stable")
    ideal = np.repeat(gains[order], np.minimum(ranking.eligible[order], k))[:k]
    weights = discounts(k)
    best = float(ideal @ weights[: len(ideal)])
    found = gains[ranking.first(k)]
    return float(found @ weights[: len(found)]) / best if best else math.nan


def discounts(k: int) -> NDArray[np.float64]:
    """(k,), what a hit at each rank counts: 1 / log2(rank + 1)."""
    return 1 / np.log2(np.arange(2, k + 2))
