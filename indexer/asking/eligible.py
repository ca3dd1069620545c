"""What a query may find. Leaving out comes before the cut, and takes all parts of an image."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from cbir.items.where import Condition
    from cbir.types import Item, Query
    from indexer.asking.columns import Columns
    from indexer.asking.places import Places
    from indexer.catalog import Catalog

_MAX_KEPT = 16
"""Bounds whose masks are kept for the next query, a byte a row each."""


@dataclass(frozen=True, slots=True, eq=False)
class Eligible:
    """What a query may find: rows, and of a row that items share, which of them.

    Args:
        rows: (n_rows,), those with an item that may be found; None when all have. Not to be written to.
        among: the ids of the items; None for any.
        where: what holds for the items; None for any.
    """

    rows: NDArray[np.bool_] | None
    among: frozenset[str] | None = None
    where: Condition | None = None

    def items(self, shared: tuple[Item, ...]) -> tuple[Item, ...]:
        """Which of the items of one of the rows may be found."""
        if len(shared) == 1 or (self.among is None and self.where is None):
            return shared
        return tuple(filter(self._has, shared))

    def _has(self, item: Item) -> bool:
        from cbir.items.where import holds

        return (self.among is None or item.id in self.among) and (
            self.where is None or holds(self.where, item)
        )


class EligibleRows:
    """The bounds of searches over one generation; threads may share it."""

    def __init__(
        self,
        catalog: Catalog,
        places: Places,
        n_rows: int,
        columns: Callable[[], Columns],
        *,
        all_shown: bool,
    ) -> None:
        """Take the parts of a generation; ``all_shown`` unless the columns are those of a tenant."""
        self._catalog = catalog
        self._places = places
        self._n_rows = n_rows
        self._columns = columns
        self._all_shown = all_shown
        self._kept: OrderedDict[tuple[frozenset[str] | None, str], Eligible] = OrderedDict()
        self._lock = threading.Lock()

    def of_each(
        self,
        queries: Sequence[Query],
        *,
        exclude_same_group: bool,
        among: frozenset[str] | None,
        where: Condition | None,
    ) -> list[Eligible]:
        """What each query may find; queries that may find the same share one and are asked together.

        Raises:
            SpecError: a query's group is to be left out, and it has none.
            ColumnError, WhereError: the condition does not fit the columns.
        """
        everywhere = self._bounded(among, where)
        found: dict[tuple[object, ...], Eligible] = {}
        bounds = [(query.no_hits, query.group, query.more_groups) for query in queries]
        for query, bound in zip(queries, bounds, strict=True):
            if bound not in found:
                found[bound] = self._without(everywhere, query, exclude_same_group=exclude_same_group)
        return [found[bound] for bound in bounds]

    def _without(self, everywhere: Eligible, query: Query, *, exclude_same_group: bool) -> Eligible:
        if exclude_same_group and query.group is None:
            raise SpecError(
                "The query has no group, so its group can't be left out: give it one, "
                "or search without excluding the same group."
            )
        excluded = self._alone(query.no_hits)
        if exclude_same_group and query.group is not None:
            for group in {query.group} | query.more_groups:
                excluded += self._catalog.rows_of_group(group)
        if not excluded:
            return everywhere
        rows = everywhere.rows
        allowed = np.ones(self._n_rows, dtype=np.bool_) if rows is None else rows.copy()
        allowed[excluded] = False
        return replace(everywhere, rows=allowed)

    def _alone(self, item_ids: frozenset[str]) -> list[int]:
        """The rows that only these items have."""
        heads = {found[1] for item_id in item_ids if (found := self._catalog.item(item_id))}
        rows: list[int] = []
        for head, place in zip(heads, self._places.of(list(heads)), strict=True):
            if all(item.id in item_ids for item in place.items):
                rows += self._catalog.parts_of(head)
        return rows

    def _bounded(self, among: frozenset[str] | None, where: Condition | None) -> Eligible:
        """What any query may find, kept for the next one."""
        key = among, repr(where)  # equal conditions are not the same: 1 equals true
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = self._bound(among, where)
        with self._lock:
            self._kept[key] = made
            if len(self._kept) > _MAX_KEPT:
                self._kept.popitem(last=False)
        return made

    def _bound(self, among: frozenset[str] | None, where: Condition | None) -> Eligible:
        if among is None and where is None and self._all_shown:
            rows = np.ones(self._n_rows, dtype=np.bool_)
            rows[self._catalog.dead_rows()] = False
            return Eligible(None if rows.all() else rows)
        columns = self._columns()
        items = np.ones(len(columns.heads), dtype=np.bool_)
        if where is not None:
            items &= columns.mask(where)
        if among is not None:
            items &= columns.among(among)
        rows = columns.rows_of(items, self._n_rows)
        return Eligible(None if rows.all() else rows, among, columns.shown(where))
