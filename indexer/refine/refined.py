"""Refinements over the search of an index, one over the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.refine.database_augmentation import DatabaseAugmentation
from indexer.refine.gallery import IndexGallery
from indexer.refine.query_expansion import QueryExpansion
from indexer.refine.reciprocal import Reciprocal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbir.items.where import Condition
    from cbir.types import Hit, Query
    from indexer.index import Index
    from indexer.refine.refinement import Gallery, Refinement

REFINEMENTS: Mapping[str, type[Refinement]] = {
    "augment": DatabaseAugmentation,
    "expand": QueryExpansion,
    "reciprocal": Reciprocal,
}
"""By name, in the order in which they work: the gallery's items first, then the query, last the list."""


def refined_gallery(gallery: Gallery, refinements: Sequence[Refinement]) -> Gallery:
    """A gallery, searched with refinements, each over those that work before it.

    Args:
        gallery: that is refined.
        refinements: in any order; none leaves the gallery as it is.
    """
    order = list(REFINEMENTS.values())
    for refinement in sorted(refinements, key=lambda each: order.index(type(each))):
        gallery = refinement.over(gallery)
    return gallery


def refined_search(
    index: Index,
    queries: Sequence[Query],
    k: int,
    refinements: Sequence[Refinement],
    *,
    exclude_same_group: bool = False,
    among: frozenset[str] | None = None,
    where: Condition | None = None,
) -> list[list[Hit]]:
    """Search an index with refinements; without any, as ``Index.search_many``, which says the rest.

    What a query may not find has no part in anything: no item that is left out is a neighbour of the query
    or of a hit. The score is what the last refinement orders by; equal scores are ordered by item id.

    Args:
        index: to search.
        queries: whose hits are wanted.
        k: at least 1.
        refinements: in any order, see ``REFINEMENTS``.
        exclude_same_group: as ``Index.search``, like the next two.
        among: ids of the items that may be found.
        where: holds for the items that may be found.

    Raises:
        SpecError: ``k`` beyond a refinement's depth, or items in parts with one that does not take them.
        CbirError: as ``Index.search``.
    """
    plain = IndexGallery(index, exclude_same_group=exclude_same_group, among=among, where=where)
    return refined_gallery(plain, refinements).search(queries, k)
