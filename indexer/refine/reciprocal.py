"""Re-ranking the best hits by k-reciprocal encoding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cbir.errors import SpecError
from indexer.refine.k_reciprocal import Encoding, k_reciprocal
from indexer.refine.ranked import ranked
from indexer.refine.refinement import MAX_DEPTH, refuse_beyond, refuse_outside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbir.types import Hit, Query
    from indexer.refine.refinement import Gallery

_PUBLISHED = Encoding()
_MAX_PARTS = 8192
"""Embeddings of the best hits that are compared, each with each."""


@dataclass(frozen=True, slots=True)
class Reciprocal:
    """The ``depth`` best hits, ordered by whether they and the query are each other's neighbours.

    Neighbours are those among the query and these hits: with all that may be found as depth, this is the
    method as published, for one query at a time. The score is 1 less the distance, from 0 to 1. Of items in
    parts, two are as alike as their two most alike parts.

    Args:
        k1: see ``Encoding``, as are the next two.
        k2: averaged neighbours.
        lambda_: weight of the distance itself.
        depth: hits that are ranked anew.

    Raises:
        SpecError: a number out of range.
    """

    k1: int = _PUBLISHED.k1
    k2: int = _PUBLISHED.k2
    lambda_: float = _PUBLISHED.lambda_
    depth: int = 100
    grid: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "k1": (10, 20),
        "k2": (1, 6),
        "lambda_": (0.3, 0.7),
    }

    def __post_init__(self) -> None:
        _ = self.encoding
        refuse_outside("reciprocal: depth", self.depth, 1, MAX_DEPTH)

    @property
    def encoding(self) -> Encoding:
        """The method's numbers."""
        return Encoding(self.k1, self.k2, self.lambda_)

    def over(self, gallery: Gallery) -> Gallery:
        """The gallery, its best hits ranked anew."""
        return _Reranked(self, gallery)


@dataclass(frozen=True, slots=True)
class _Reranked:
    settings: Reciprocal
    inner: Gallery

    def search(self, queries: Sequence[Query], k: int) -> list[list[Hit]]:
        refuse_beyond("reciprocal", self.settings.depth, k)
        found = self.inner.search(queries, self.settings.depth)
        return [
            ranked(hits, self._scores(query, hits), k) if hits else []
            for query, hits in zip(queries, found, strict=True)
        ]

    def vectors(self, query: Query, hits: Sequence[Hit]) -> list[NDArray[np.float32]]:
        return self.inner.vectors(query, hits)

    def _scores(self, query: Query, hits: Sequence[Hit]) -> NDArray[np.float64]:
        cosines = np.ones((len(hits) + 1, len(hits) + 1))
        cosines[0, 1:] = cosines[1:, 0] = [hit.score for hit in hits]
        cosines[1:, 1:] = _cosines(self.inner.vectors(query, hits))
        np.fill_diagonal(cosines, 1.0)
        scores: NDArray[np.float64] = 1.0 - k_reciprocal(2.0 - 2.0 * cosines, self.settings.encoding)[0]
        return scores


def _cosines(items: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """(n, n), of every two items: the greatest of any part of the one with any of the other."""
    n_parts = [len(rows) for rows in items]
    if sum(n_parts) > max(_MAX_PARTS, len(items)):
        raise SpecError(
            f"reciprocal compares {_MAX_PARTS} embeddings at most, and the {len(items)} best hits have "
            f"{sum(n_parts)}, of their parts: give it a smaller depth."
        )
    rows = np.concatenate(items)
    cosines: NDArray[np.float32] = np.clip(rows @ rows.T, -1, 1)
    if len(rows) == len(items):
        return cosines
    starts = np.cumsum([0, *n_parts[:-1]])
    return np.maximum.reduceat(np.maximum.reduceat(cosines, starts, axis=0), starts, axis=1)
