"""α query expansion: ask again, with the query drawn towards what it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from indexer.refine.refinement import MAX_DEPTH, refuse_outside
from indexer.refine.weighting import drawn_towards

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbir.types import Hit, Query
    from indexer.refine.refinement import Gallery


@dataclass(frozen=True, slots=True)
class QueryExpansion:
    """q' = normalise(q + Σ max(qᵀx, 0)^α x) over the ``k`` best hits x; then q' is searched for.

    The score is the cosine with q'. Each part of a query in parts is expanded by itself, with that part of
    every hit that is most like it.

    Args:
        k: hits that the query is drawn towards, at least 1.
        alpha: how fast a hit counts less the less it is like the query, at least 0.

    Raises:
        SpecError: a number out of range.

    Source: Radenović, Tolias, Chum, Fine-tuning CNN Image Retrieval with No Human Annotation, TPAMI 2019;
    the plain mean (α = 0) is of Chum, Philbin, Sivic, Isard, Zisserman, Total Recall, ICCV 2007.
    """

    k: int = 5
    alpha: float = 3.0
    grid: ClassVar[Mapping[str, tuple[float, ...]]] = {"k": (1, 3, 10), "alpha": (1, 3)}

    def __post_init__(self) -> None:
        refuse_outside("expand: k", self.k, 1, MAX_DEPTH)
        refuse_outside("expand: alpha", self.alpha, 0, 100)

    def over(self, gallery: Gallery) -> Gallery:
        """The gallery, asked with expanded queries."""
        return _Expanded(self, gallery)


@dataclass(frozen=True, slots=True)
class _Expanded:
    settings: QueryExpansion
    inner: Gallery

    def search(self, queries: Sequence[Query], k: int) -> list[list[Hit]]:
        first = self.inner.search(queries, self.settings.k)
        expanded = [self._expand(query, hits) for query, hits in zip(queries, first, strict=True)]
        return self.inner.search(expanded, k)

    def vectors(self, query: Query, hits: Sequence[Hit]) -> list[NDArray[np.float32]]:
        return self.inner.vectors(query, hits)

    def _expand(self, query: Query, hits: Sequence[Hit]) -> Query:
        """The query, its parts drawn towards the best parts of its hits."""
        found = self.inner.vectors(query, hits)
        if not found:
            return query
        parts = np.atleast_2d(query.embedding)
        drawn = [
            drawn_towards(
                part, np.stack([rows[np.argmax(rows @ part)] for rows in found]), self.settings.alpha
            )
            for part in parts
        ]
        return replace(query, embedding=drawn[0] if query.embedding.ndim == 1 else np.stack(drawn))
