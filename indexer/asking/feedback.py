"""More like these, less like those: a query moved towards and away from items (relevance feedback)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import VectorError
from cbir.types import Query

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from indexer.index import Index

_LEAST_LENGTH = 1e-3
"""What is left after cancelling is float32 noise below this."""


@dataclass(frozen=True, slots=True)
class Rocchio:
    """How much each side weighs.

    Args:
        query: α, of the image or item that was asked for.
        liked: β, of the mean of what is liked.
        unliked: γ, of the mean of what is not.

    Source: Manning, Raghavan, Schütze, Introduction to Information Retrieval, 2008, section 9.1.1, with the
    weights it calls reasonable.
    """

    query: float = 1.0
    liked: float = 0.75
    unliked: float = 0.15


def query_by_feedback(
    index: Index,
    query: Query | None,
    *,
    liked: Sequence[str],
    unliked: Sequence[str] = (),
    weights: Rocchio | None = None,
) -> Query:
    """Move a query towards the items that are liked and away from those that are not.

    The items named are no hits of it: they are judged already. Its groups are those of the query and of every
    liked item; where one of them is unknown, so is the group.

    Args:
        index: that has the items.
        query: of an image or item; None to ask with the items alone.
        liked: ids, each counted once.
        unliked: likewise.
        weights: None for ``Rocchio()``.

    Raises:
        KeyError: no such item.
        VectorError: nothing to move towards; an item that is on both sides; what is left has no direction.
    """
    if both := set(liked) & set(unliked):
        raise VectorError(f"Item {min(both)} is liked and unliked: name it once.")
    towards = [index.query(each) for each in dict.fromkeys(liked)]
    away = [index.query(each) for each in dict.fromkeys(unliked)]
    embedding = moved(
        None if query is None else query.embedding,
        [each.embedding for each in towards],
        [each.embedding for each in away],
        weights or Rocchio(),
    )
    sources = [each.group for each in ([] if query is None else [query]) + towards]
    groups = [group for group in sources if group is not None]
    base = query or Query(embedding, index.fingerprint)
    return replace(
        base,
        embedding=embedding,
        group=groups[0] if len(groups) == len(sources) else None,
        without=base.without | {*liked, *unliked},
        more_groups=base.more_groups | {*groups[1:]},
    )


def moved(
    query: NDArray[np.float32] | None,
    liked: Sequence[NDArray[np.float32]],
    unliked: Sequence[NDArray[np.float32]],
    weights: Rocchio,
) -> NDArray[np.float32]:
    """Compute α·query + β·mean(liked) - γ·mean(unliked), at unit length.

    Of an image in parts, each part of the query moves by itself, and what counts of an item is the part that
    is nearest to it.

    Args:
        query: (dim,) or (n_parts, dim), unit rows; None without one.
        liked: each like ``query``.
        unliked: likewise.
        weights: α, β and γ.

    Returns:
        Of the query's shape; (dim,) without one.

    Raises:
        VectorError: neither query nor liked; only items in parts, which no part of a query chooses from; or
            what is liked cancels out, or is outweighed by what is not.
    """
    if query is not None:
        rows = [_moved_row(row, liked, unliked, weights) for row in np.atleast_2d(query)]
        return np.stack(rows) if query.ndim > 1 else rows[0]
    if not liked:
        raise VectorError("There is nothing to move away from: name an image, an item, or one that is liked.")
    if any(len(np.atleast_2d(each)) > 1 for each in liked):
        raise VectorError(
            "The liked items are in parts, and no query says which of the parts count: name an image or an "
            "item to search for beside them."
        )
    return _moved_row(None, liked, unliked, weights)


def _moved_row(
    row: NDArray[np.float32] | None,
    liked: Sequence[NDArray[np.float32]],
    unliked: Sequence[NDArray[np.float32]],
    weights: Rocchio,
) -> NDArray[np.float32]:
    start = np.zeros(liked[0].shape[-1]) if row is None else weights.query * row.astype(np.float64)
    towards = start + weights.liked * _mean(liked, row)
    if np.linalg.norm(towards) < _LEAST_LENGTH:
        raise VectorError("What is liked points in opposite directions and cancels out: name fewer items.")
    result = towards - weights.unliked * _mean(unliked, towards)
    length = np.linalg.norm(result)
    if length < _LEAST_LENGTH or result @ towards <= 0:
        raise VectorError("What is unliked outweighs what is liked: name fewer items, or other ones.")
    return (result / length).astype(np.float32)


def _mean(items: Sequence[NDArray[np.float32]], anchor: NDArray[np.floating] | None) -> NDArray[np.float64]:
    """The mean of each item's nearest part to the anchor; 0 where there are no items."""
    if not items:
        return np.zeros(1)
    parts = [np.atleast_2d(each) for each in items]
    nearest = [each[0 if anchor is None else int(np.argmax(each @ anchor))] for each in parts]
    mean: NDArray[np.float64] = np.mean(nearest, axis=0, dtype=np.float64)
    return mean
