"""Which rows a query may find. Excluding comes before the cut, and takes all parts of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbir.types import Query
    from indexer.catalog import Catalog
    from indexer.places import Places


class EligibleRows:
    """Masks over the rows of one generation; threads may share it."""

    def __init__(self, catalog: Catalog, places: Places, n_rows: int) -> None:
        self._catalog = catalog
        self._places = places
        self._n_rows = n_rows
        self._kept: tuple[frozenset[str] | None, NDArray[np.bool_] | None] | None = None

    def of_each(
        self, queries: Sequence[Query], *, exclude_same_group: bool, among: frozenset[str] | None
    ) -> list[NDArray[np.bool_] | None]:
        """As ``of``, for each; queries that may find the same share one and are asked together.

        Raises:
            SpecError: likewise.
        """
        masks: dict[tuple[object, ...], NDArray[np.bool_] | None] = {}
        bounds = [(query.no_hits, query.group, query.more_groups) for query in queries]
        for query, bound in zip(queries, bounds, strict=True):
            if bound not in masks:
                masks[bound] = self.of(query, exclude_same_group=exclude_same_group, among=among)
        return [masks[bound] for bound in bounds]

    def of(
        self, query: Query, *, exclude_same_group: bool, among: frozenset[str] | None
    ) -> NDArray[np.bool_] | None:
        """Which rows have an item that may be found, (n_rows,); None when all have. Not to be written to.

        Raises:
            SpecError: the query's group is to be left out, and it has none.
        """
        if exclude_same_group and query.group is None:
            raise SpecError(
                "The query has no group, so its group can't be left out: give it one, "
                "or search without excluding the same group."
            )
        everywhere = self._base(among)
        excluded = self._alone(query.no_hits)
        if exclude_same_group and query.group is not None:
            for group in {query.group} | query.more_groups:
                excluded += self._catalog.rows_of_group(group)
        if not excluded:
            return everywhere
        allowed = np.ones(self._n_rows, dtype=np.bool_) if everywhere is None else everywhere.copy()
        allowed[excluded] = False
        return allowed

    def _alone(self, item_ids: frozenset[str]) -> list[int]:
        """The rows that only these items have."""
        heads = {found[1] for item_id in item_ids if (found := self._catalog.item(item_id))}
        rows: list[int] = []
        for head, place in zip(heads, self._places.of(list(heads)), strict=True):
            if all(item.id in item_ids for item in place.items):
                rows += self._catalog.parts_of(head)
        return rows

    def _base(self, among: frozenset[str] | None) -> NDArray[np.bool_] | None:
        """The rows that any query may find, kept for the next one; None for all."""
        kept = self._kept
        if kept is None or kept[0] is not among:
            if among is None:
                dead = self._catalog.dead_rows()
                rows = np.ones(self._n_rows, dtype=np.bool_)
                rows[dead] = False
                kept = (None, rows if dead else None)
            else:
                rows = np.zeros(self._n_rows, dtype=np.bool_)
                rows[self._catalog.rows_of_items(among)] = True
                kept = (among, rows)
            self._kept = kept
        return kept[1]
