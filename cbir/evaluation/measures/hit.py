from __future__ import annotations

from cbir.evaluation.ranking import Ranking


def hit(ranking: Ranking, k: int) -> float:
    """Hit@k: 1 where one of the first ``k`` is relevant, else 0.

    Metric learning calls it "Recall@k"; it is not R@k.

    Source: Jégou, Douze, Schmid, TPAMI 2011 (as recall@R); Musgrave et al., ECCV 2020, section 2.
    """
    return float((ranking.first(k) == ranking.label).any())
