from __future__ import annotations

import math

import numpy as np

from cbir.evaluation.ranking import Ranking


def average_precision(ranking: Ranking, k: int) -> float:
    """AP@k: the precisions at the relevant among the first ``k`` hits, summed, over all that are relevant.

    Not by those found, nor by min(R, k): a missed item counts as 0. With ``k`` the whole list it is AP, whose
    mean over queries is MAP. NaN where nothing is relevant.

    Source: Manning, Raghavan, Schütze, Introduction to Information Retrieval, 2008, equation 8.8.
    """
    if not ranking.n_relevant:
        return math.nan
    ranks = np.flatnonzero(ranking.first(k) == ranking.label) + 1
    return float((np.arange(1, len(ranks) + 1) / ranks).sum()) / ranking.n_relevant
