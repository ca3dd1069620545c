"""A search whose best hits a re-ranker orders anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbir.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbir.items.where import Condition
    from cbir.types import Hit, Query, Reranker
    from indexer.index import Index

DEFAULT_DEPTH = 100
"""Hits that are ordered anew where nobody says."""


@dataclass(frozen=True, slots=True)
class Reranking:
    """What is done to the hits of a search.

    Args:
        reranker: orders them.
        depth: how many of the best it is given.
    """

    reranker: Reranker
    depth: int = DEFAULT_DEPTH

    def check(self, k: int) -> None:
        """Refuse more hits than are ordered anew.

        Raises:
            SpecError: ``k`` is more than the depth.
        """
        if k > self.depth:
            raise SpecError(
                f"The {self.depth} best hits are ranked anew, and {k} are asked for: ask for fewer, or for a "
                f"depth of {k}."
            )

    def of(self, query: Query, hits: Sequence[Hit]) -> list[Hit]:
        """The best hits anew, then those beyond the depth as they were, their scores too."""
        first = self.reranker.rerank(query, hits[: self.depth])
        return [*first, *hits[self.depth :]]


def reranked_search(
    index: Index,
    queries: Sequence[Query],
    k: int,
    reranking: Reranking,
    *,
    exclude_same_group: bool = False,
    among: frozenset[str] | None = None,
    where: Condition | None = None,
) -> list[list[Hit]]:
    """Search an index, and order the best hits of each query anew; then cut.

    What a query may not find is left out before anything is ordered. The score is the re-ranker's.

    Args:
        index: to search.
        queries: whose hits are wanted.
        k: from 1 to the depth.
        reranking: what is done.
        exclude_same_group: as ``Index.search``, like the next two.
        among: ids of the items that may be found.
        where: holds for the items that may be found.

    Raises:
        SpecError: ``k`` beyond the depth.
        CbirError: as ``Index.search``.
    """
    reranking.check(k)
    found = index.search_many(
        queries, reranking.depth, exclude_same_group=exclude_same_group, among=among, where=where
    )
    return [reranking.of(query, hits)[:k] for query, hits in zip(queries, found, strict=True)]
