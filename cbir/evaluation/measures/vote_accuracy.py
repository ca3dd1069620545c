from __future__ import annotations

import math

from cbir.evaluation.measures.votes import majority_vote
from cbir.evaluation.ranking import Ranking


def vote_accuracy(ranking: Ranking, k: int) -> float:
    """1 where the majority of the first ``k`` hits has the query's label, else 0; NaN without a hit.

    Ties: of the labels with equal votes, the one whose best hit ranks first.

    Source: Cover, Hart, Nearest neighbor pattern classification, 1967.
    """
    vote = majority_vote(ranking, k)
    return math.nan if vote is None else float(vote == ranking.label)
