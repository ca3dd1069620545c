"""Which image of one case is which image of another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.cases.aspect import Aspect


class Match(NamedTuple):
    """An image of the query, an image of the other case, by their places, and how alike they are."""

    query: int
    other: int
    score: float


def match_images(
    queries: Sequence[Aspect], others: Sequence[Aspect], cosines: NDArray[np.float32]
) -> list[Match]:
    """Pair the images of a query with those of another case, each at most once.

    First, images of known side and view with those of the same side and view. Then, what is left: by the
    best assignment among the pairs of which nothing known disagrees, so that a left breast never stands for
    a right one, nor a CC for an MLO. Each of the two steps has the greatest sum of cosines that it can have.
    A pair of which the cosine is not above 0 is none: a case gains nothing by having an image that is unlike
    the query's, and loses nothing by it.

    Args:
        queries: (n,) aspects.
        others: (m,) aspects.
        cosines: (n, m).

    Returns:
        By the query's places.

    Source: the assignment problem, Kuhn 1955; solved as in Crouse 2016 (SciPy).
    """
    matches: list[Match] = []
    left_queries, left_others = list(range(len(queries))), list(range(len(others)))
    for kind in dict.fromkeys(aspect for aspect in queries if aspect.is_known):
        found = _assigned(
            [at for at in left_queries if queries[at] == kind],
            [at for at in left_others if others[at] == kind],
            cosines,
        )
        matches += found
    taken, used = {match.query for match in matches}, {match.other for match in matches}
    left_queries = [at for at in left_queries if at not in taken]
    left_others = [at for at in left_others if at not in used]
    may = np.array(
        [[queries[i].may_be(others[j]) for j in left_others] for i in left_queries], dtype=np.bool_
    )
    if may.any():
        matches += _assigned(left_queries, left_others, cosines, may)
    return sorted(matches)


def case_score(scores: Sequence[float], n_queries: int) -> float:
    """How alike two cases are, in [0, 1]: the mean over the query's images of what each was paired with.

    An image without a pair counts 0. So a case that lacks a view is not favoured over one that has it, and
    images beyond the query's own neither help nor harm; the mean over the pairs alone would rank the case
    with the one best image first, however little of the examination it has.

    Args:
        scores: of the pairs, in (0, 1].
        n_queries: images of the query.
    """
    # Rounded once: the sum does not depend on the order, and is never above that of greater scores.
    return min(math.fsum(scores) / n_queries, 1.0)


def _assigned(
    queries: Sequence[int],
    others: Sequence[int],
    cosines: NDArray[np.float32],
    may: NDArray[np.bool_] | None = None,
) -> list[Match]:
    """The pairs of some rows and columns with the greatest sum; those worth nothing are left out."""
    if not queries or not others:
        return []
    worth = np.maximum(cosines[np.ix_(queries, others)], 0)
    if may is not None:
        worth = np.where(may, worth, 0)
    if len(queries) == 1 or len(others) == 1:
        rows, columns = (np.array([place]) for place in np.unravel_index(int(worth.argmax()), worth.shape))
    else:
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(worth, maximize=True)
    return [
        Match(queries[i], others[j], worth.item(i, j))
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
        if worth[i, j] > 0
    ]
