"""Database augmentation: items that are drawn towards their own neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cbir.errors import SpecError
from indexer.refine.ranked import ranked
from indexer.refine.refinement import MAX_DEPTH, refuse_beyond, refuse_outside
from indexer.refine.weighting import drawn_towards

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cbir.types import Hit, Query
    from indexer.refine.refinement import Gallery


@dataclass(frozen=True, slots=True)
class DatabaseAugmentation:
    """x' = normalise(x + Σ max(xᵀy, 0)^α y) over the ``k`` items y most like x; the score is qᵀx'.

    Computed when it is asked for, for the ``depth`` best hits of the plain search: with all that may be
    found as depth it is the augmentation of the whole gallery. Neighbours are searched for within what the
    query may find: neither the query nor its patient, where left out, reaches it through another's
    embedding, and there is nothing to grow stale.

    Args:
        k: neighbours that an item is drawn towards, at least 1.
        alpha: how fast a neighbour counts less the less it is like the item, at least 0.
        depth: hits that are augmented and ranked anew.

    Raises:
        SpecError: a number out of range.

    Source: Turcot, Lowe, ICCV Workshops 2009; Arandjelović, Zisserman, Three things everyone should know to
    improve object retrieval, CVPR 2012; weights as in ``weighting``.
    """

    k: int = 5
    alpha: float = 3.0
    depth: int = 100
    grid: ClassVar[Mapping[str, tuple[float, ...]]] = {"k": (1, 3, 10), "alpha": (1, 3)}

    def __post_init__(self) -> None:
        refuse_outside("augment: k", self.k, 1, MAX_DEPTH)
        refuse_outside("augment: alpha", self.alpha, 0, 100)
        refuse_outside("augment: depth", self.depth, 1, MAX_DEPTH)

    def over(self, gallery: Gallery) -> Gallery:
        """The gallery, its items augmented."""
        return _Augmented(self, gallery)


@dataclass(frozen=True, slots=True)
class _Augmented:
    settings: DatabaseAugmentation
    inner: Gallery

    def search(self, queries: Sequence[Query], k: int) -> list[list[Hit]]:
        refuse_beyond("augment", self.settings.depth, k)
        return [
            ranked(hits, self._scores(query, hits), k)
            for query, hits in zip(queries, self.inner.search(queries, self.settings.depth), strict=True)
        ]

    def vectors(self, query: Query, hits: Sequence[Hit]) -> list[NDArray[np.float32]]:
        alpha = self.settings.alpha
        return [
            drawn_towards(vector, np.concatenate([vector[np.newaxis][:0], *around]), alpha)[np.newaxis]
            for vector, around in self._around(query, hits)
        ]

    def _scores(self, query: Query, hits: Sequence[Hit]) -> NDArray[np.float32]:
        if not hits:
            return np.empty(0, dtype=np.float32)
        cosines = np.concatenate(self.vectors(query, hits)) @ np.atleast_2d(query.embedding).T
        scores: NDArray[np.float32] = np.clip(cosines.max(axis=1), -1, 1)
        return scores

    def _around(
        self, query: Query, hits: Sequence[Hit]
    ) -> Iterator[tuple[NDArray[np.float32], list[NDArray[np.float32]]]]:
        """Each hit's embedding, and those of its neighbours within what the query may find."""
        vectors = [_whole(rows, hit) for rows, hit in zip(self.inner.vectors(query, hits), hits, strict=True)]
        asked = [replace(query, embedding=vector) for vector in vectors]
        found = self.inner.search(asked, self.settings.k + 1)  # an item finds itself
        for vector, hit, near in zip(vectors, hits, found, strict=True):
            others = [each for each in near if each.item.id != hit.item.id][: self.settings.k]
            yield vector, self.inner.vectors(query, others)


def _whole(rows: NDArray[np.float32], hit: Hit) -> NDArray[np.float32]:
    if len(rows) > 1:
        raise SpecError(
            f"augment takes items of one embedding, and {hit.item.id} has {len(rows)}, of its parts, whose "
            "neighbours would be parts of the same image. Use expand or reciprocal."
        )
    vector: NDArray[np.float32] = rows[0]
    return vector
