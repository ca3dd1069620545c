"""k-reciprocal encoding: two items are alike when they have the same neighbours, who have them in turn.

Source: Zhong, Zheng, Cao, Li, Re-ranking Person Re-identification with k-reciprocal Encoding, CVPR 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.refine.refinement import refuse_outside

_OVERLAP = 2 / 3
"""Of the neighbours of a neighbour, more than these must be shared for it to bring them all."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """The three numbers of the method.

    Args:
        k1: neighbours in which two must find each other, at least 1.
        k2: neighbours, oneself the first of them, whose encodings are averaged; 1 for none but one's own.
        lambda_: from 0 to 1, how much the distance itself counts beside the neighbours; at 1 they count
            nothing, and the order is what it was.

    Raises:
        SpecError: a number out of range.
    """

    k1: int = 20
    k2: int = 6
    lambda_: float = 0.3

    def __post_init__(self) -> None:
        refuse_outside("reciprocal: k1", self.k1, 1, np.inf)
        refuse_outside("reciprocal: k2", self.k2, 1, np.inf)
        refuse_outside("reciprocal: lambda", self.lambda_, 0, 1)


def k_reciprocal(
    distances: NDArray[np.float64], encoding: Encoding, *, n_queries: int = 1
) -> NDArray[np.float64]:
    """The distances of some queries to the rest, as their neighbours see them.

    Each row of distances is divided by its greatest first. Of equal distances the first comes first, and
    everybody is nearest to themselves.

    Args:
        distances: (n, n), squared, of queries and gallery together, the queries first.
        encoding: the method's numbers.
        n_queries: at least 1; each is a neighbour to the others, too.

    Returns:
        (n_queries, n − n_queries), from 0 to 1.
    """
    greatest = distances.max(axis=1, keepdims=True)
    scaled = np.divide(distances, greatest, out=np.zeros_like(distances), where=greatest > 0)
    first_oneself = scaled.copy()
    np.fill_diagonal(first_oneself, -1.0)
    order = np.argsort(first_oneself, axis=1, kind="stable")
    encoded = _encoded(scaled, order, encoding.k1)
    if encoding.k2 > 1:
        near = _nearest(order, encoding.k2).astype(np.float64)
        encoded = (near @ encoded) / near.sum(axis=1, keepdims=True)
    shared = np.stack([np.minimum(row, encoded[n_queries:]).sum(axis=1) for row in encoded[:n_queries]])
    shared = np.minimum(shared, 1.0)  # the encodings add up to 1 each, but for rounding
    jaccard = 1.0 - shared / (2.0 - shared)
    own = encoding.lambda_ * scaled[:n_queries, n_queries:]
    found: NDArray[np.float64] = own + (1.0 - encoding.lambda_) * jaccard
    return found


def _encoded(scaled: NDArray[np.float64], order: NDArray[np.int64], k1: int) -> NDArray[np.float64]:
    """Each row's weights over its k-reciprocal neighbours and those that they bring; sums of 1."""
    mutual = _mutual(order, k1 + 1)
    # Half of k1, a half rounded to the even number, as NumPy and the authors' program do.
    closer = _mutual(order, int(np.around(k1 / 2)) + 1).astype(np.float32)
    overlap = mutual.astype(np.float32) @ closer.T
    brings = mutual & (overlap > _OVERLAP * closer.sum(axis=1))
    members = mutual | (brings.astype(np.float32) @ closer > 0)
    weights = np.where(members, np.exp(-scaled), 0.0)
    encoded: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return encoded


def _mutual(order: NDArray[np.int64], k: int) -> NDArray[np.bool_]:
    """(n, n), whether two are among each other's ``k`` nearest, themselves counted."""
    near = _nearest(order, k)
    return near & near.T


def _nearest(order: NDArray[np.int64], k: int) -> NDArray[np.bool_]:
    """(n, n), whether the column is among the row's ``k`` nearest."""
    near = np.zeros(order.shape, dtype=np.bool_)
    np.put_along_axis(near, order[:, :k], values=True, axis=1)
    return near
