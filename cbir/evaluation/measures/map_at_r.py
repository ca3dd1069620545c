from __future__ import annotations

import math

from cbir.evaluation.measures.average_precision import average_precision
from cbir.evaluation.ranking import Ranking


def map_at_r(ranking: Ranking, k: int) -> float:
    """One query's part of MAP@R: AP cut at R, all that are relevant; ``k`` plays no part.

    NaN where nothing is relevant, or the list was cut before R.

    Source: Musgrave, Belongie, Lim, A Metric Learning Reality Check, ECCV 2020, section 3.2.
    """
    del k
    n_relevant = ranking.n_relevant
    if not n_relevant or ranking.n_hits < n_relevant:
        return math.nan
    return average_precision(ranking, n_relevant)
