from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from cbir.evaluation.measures.votes import answered, majority_vote
from cbir.evaluation.ranking import Ranking


def quadratic_kappa(rankings: Sequence[Ranking], k: int) -> float:
    """QWK: agreement of the majority vote with the query's grade beyond chance, weighted by squared distance.

    For ordinal labels. NaN without an answered query, or where queries and votes are all of one grade.

    Source: Cohen, Weighted kappa, Psychological Bulletin 1968.
    """
    judged = answered(rankings)
    if not judged:
        return math.nan
    n_grades = len(judged[0].eligible)
    observed = np.zeros((n_grades, n_grades))
    for each in judged:
        observed[each.label, majority_vote(each, k)] += 1
    grades = np.arange(n_grades)
    weights = (grades[:, np.newaxis] - grades) ** 2
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / len(judged)
    chance = float((weights * expected).sum())
    return 1 - float((weights * observed).sum()) / chance if chance else math.nan
