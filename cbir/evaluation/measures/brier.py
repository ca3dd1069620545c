from __future__ import annotations

from cbir.evaluation.measures.votes import vote_shares
from cbir.evaluation.ranking import Ranking


def brier(ranking: Ranking, k: int) -> float:
    """One query's Brier score of the label shares of its first ``k`` hits, in [0, 2]; lower is better.

    Summed over the classes, as Brier did; NaN without a hit.

    Source: Brier, Verification of forecasts expressed in terms of probability, 1950.
    """
    miss = vote_shares(ranking, k)
    miss[ranking.label] -= 1
    return float((miss**2).sum())
