from __future__ import annotations

import math

from cbir.evaluation.ranking import Ranking


def r_precision(ranking: Ranking, k: int) -> float:
    """R-precision: precision after R hits, R being all that are relevant; ``k`` plays no part.

    NaN where nothing is relevant, or the list was cut before R.

    Source: Manning, Raghavan, Schütze, Introduction to Information Retrieval, 2008, section 8.4.
    """
    del k
    n_relevant = ranking.n_relevant
    if not n_relevant or ranking.n_hits < n_relevant:
        return math.nan
    return int(ranking.relevance[:n_relevant].sum()) / n_relevant
