from __future__ import annotations

from cbir.evaluation.ranking import Ranking


def precision(ranking: Ranking, k: int) -> float:
    """P@k: the relevant among the first ``k``, divided by ``k``, also where there are fewer hits.

    Source: Manning, Raghavan, Schütze, Introduction to Information Retrieval, 2008, section 8.4.
    """
    return int((ranking.first(k) == ranking.label).sum()) / k
