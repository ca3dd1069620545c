from __future__ import annotations

import math

from cbir.evaluation.measures.average_precision import average_precision
from cbir.evaluation.ranking import Ranking


def whole_average_precision(ranking: Ranking, k: int) -> float:
    """One query's part of MAP: AP over the whole list, whatever ``k`` is.

    NaN where nothing is relevant, or the list was cut before its end.

    Source: Manning, Raghavan, Schütze, Introduction to Information Retrieval, 2008, equation 8.8.
    """
    del k
    if ranking.n_hits < max(ranking.n_eligible, 1):
        return math.nan
    return average_precision(ranking, ranking.n_hits)
