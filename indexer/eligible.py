"""Which rows a query may find. Excluding comes before the cut, and takes all parts of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import SpecError

if TYPE_CHECKING:
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

    def of(
        self, query: Query, *, exclude_same_group: bool, among: frozenset[str] | None
    ) -> NDArray[np.bool_] | None:
        """Which rows have an item that may be found, (n_rows,); None when all have. Not to be written to.

        Raises:
            SpecError: the query's group is to be left out, and it has none.
        """
        group = query.group if exclude_same_group else None
        if exclude_same_group and group is None:
            raise SpecError(
                "The query has no group, so its group can't be left out: give it one, "
                "or search without excluding the same group."
            )
        everywhere = self._base(among)
        excluded = [] if group is None else self._catalog.rows_of_group(group)
        if query.item_id is not None and (found := self._catalog.item(query.item_id)):
            head = found[1]
            if all(item.id == query.item_id for item in self._places.of([head])[0].items):
                excluded += self._catalog.parts_of(head)
        if not excluded:
            return everywhere
        allowed = np.ones(self._n_rows, dtype=np.bool_) if everywhere is None else everywhere.copy()
        allowed[excluded] = False
        return allowed

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
