from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

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
    return float(kappa_of(observed))


def kappa_of(observed: NDArray[np.float64]) -> NDArray[np.float64]:
    """QWK of confusion matrices.

    Args:
        observed: (..., n_grades, n_grades), counts; a row is the grade, a column the answer.

    Returns:
        (...), NaN where all is of one grade.
    """
    grades = np.arange(observed.shape[-1])
    weights = (grades[:, np.newaxis] - grades) ** 2
    true, answered = observed.sum(axis=-1), observed.sum(axis=-2)
    chance = np.asarray(np.einsum("...i,ij,...j->...", true, weights, answered), dtype=np.float64)
    disagreement = (weights * observed).sum(axis=(-1, -2)) * true.sum(axis=-1)
    ratio = np.full(chance.shape, np.nan)
    np.divide(disagreement, chance, out=ratio, where=chance > 0)
    return 1 - ratio
