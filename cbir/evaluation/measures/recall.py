from __future__ import annotations

import math

from cbir.evaluation.ranking import Ranking


def recall(ranking: Ranking, k: int) -> float:
    """R@k: the relevant among the first ``k``, divided by all that are relevant; NaN where none is.

    Source: Manning, Raghavan, Schütze, Introduction to Information Retrieval, 2008, section 8.3.
    """
    n_found = int((ranking.first(k) == ranking.label).sum())
    return n_found / ranking.n_relevant if ranking.n_relevant else math.nan
