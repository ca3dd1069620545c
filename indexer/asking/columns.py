"""Conditions on items, answered for all items at a time, from columns in memory that are each loaded once.

A condition asks each distinct value of a column once, by the very test that ``holds`` asks of an item.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import ColumnError, WhereError
from cbir.items.where import OWN_COLUMNS, And, Compare, Known, OneOf, Or, kind_of, leaf_test, leaves
from cbir.printable import printable
from indexer.asking.column import Column, read_columns, read_heads, read_names, read_parts

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from cbir.items.where import Condition, Kind, Leaf, Scalar
    from indexer.asking.tenants import Tenant
    from indexer.catalog import Catalog

_FEW = 16
"""Ids are looked for one by one where this many times as many items have others."""

_HELD = {"text": "text", "number": "numbers", "truth": "true and false"}
_ONE = {"text": "text", "number": "a number", "truth": "true or false"}
_WRITTEN = {"text": "text stands in single quotes", "number": "numbers stand without quotes"}


class Columns:
    """The items of a generation by id, all of them or those of a tenant; threads may share it."""

    def __init__(self, catalog: Catalog, where: str, tenant: Tenant | None = None) -> None:
        """Load nothing yet; ``where`` the items are, for errors."""
        self._catalog = catalog
        self._where = where
        self._tenant = tenant
        self._shown: NDArray[np.bool_] | None = None
        self._heads: NDArray[np.int64] | None = None
        self._parts: NDArray[np.int64] | None = None
        self._kept: dict[str, Column] = {}
        self._lock = threading.RLock()

    @property
    def heads(self) -> NDArray[np.int64]:
        """(n_items,), the head row of each item; not to be written to."""
        with self._lock:
            if self._heads is None:
                shown, heads = self._items_shown(), read_heads(self._catalog)
                self._heads = heads if shown is None else heads[shown]
            return self._heads

    def rows_of(self, items: NDArray[np.bool_], n_rows: int) -> NDArray[np.bool_]:
        """(n_rows,), the rows of some of the items, all parts."""
        rows = np.zeros(n_rows, dtype=np.bool_)
        rows[self.heads[items]] = True
        part, head = self._parts_of_all().T
        rows[part] = rows[head]
        return rows

    def n_rows(self) -> int:
        """How many rows the items have, all parts."""
        heads = np.unique(self.heads)
        return len(heads) + int(np.count_nonzero(np.isin(self._parts_of_all()[:, 1], heads)))

    def shown(self, where: Condition | None) -> Condition | None:
        """A condition on the items here, said of all items: that they are the tenant's, too."""
        if self._tenant is None:
            return where
        self._load([self._tenant.column])
        mine = self._tenant.condition(self._kept[self._tenant.column].values)
        return mine if where is None else And((mine, where))

    def names(self) -> list[str]:
        """Of all columns that an item has; every item's file is looked at."""
        with self._lock:
            return read_names(self._catalog, self._items_shown())

    def of(self, name: str) -> Column:
        """A column.

        Raises:
            ColumnError: no item has it.
        """
        self._load([name])
        column = self._kept[name]
        if not column.values and name not in OWN_COLUMNS and name not in (names := self.names()):
            raise ColumnError(self._where, name, names)
        return column

    def read(self, names: Sequence[str]) -> list[Column]:
        """Some columns, in one pass; one that no item has has no values."""
        self._load(names)
        return [self._kept[name] for name in names]

    def mask(self, condition: Condition) -> NDArray[np.bool_]:
        """For which items it holds, (n_items,).

        Raises:
            ColumnError: no item has a column.
            WhereError: a column holds nothing that the value could be compared with.
        """
        asked = list(leaves(condition))
        self._load({leaf.column for leaf in asked})
        for leaf in asked:
            _check(leaf, self.of(leaf.column).kinds)
        return self._mask(condition)

    def among(self, item_ids: Collection[str]) -> NDArray[np.bool_]:
        """Which items have one of these ids, (n_items,)."""
        ids = self.of("id")
        if len(item_ids) * _FEW > len(ids.values):
            return np.fromiter((each in item_ids for each in ids.values), np.bool_, len(ids.values))[
                ids.codes
            ]
        found = np.zeros(len(ids.values), dtype=np.bool_)
        for each in item_ids:
            place = bisect_left(ids.values, each)  # they ascend, as items do
            if place < len(found) and ids.values[place] == each:
                found[place] = True
        return found[ids.codes]

    def _mask(self, condition: Condition) -> NDArray[np.bool_]:
        match condition:
            case And(parts):
                return reduce(np.logical_and, map(self._mask, parts), np.ones(len(self.heads), np.bool_))
            case Or(parts):
                return reduce(np.logical_or, map(self._mask, parts), np.zeros(len(self.heads), np.bool_))
            case leaf:
                column, test = self._kept[leaf.column], leaf_test(leaf)
                answers = [*map(test, column.values), test(None)]  # -1 takes the last
                return np.array(answers, dtype=np.bool_)[column.codes]

    def _parts_of_all(self) -> NDArray[np.int64]:
        with self._lock:
            if self._parts is None:
                self._parts = read_parts(self._catalog)
            return self._parts

    def _load(self, names: Collection[str]) -> None:
        if all(name in self._kept for name in names):
            return
        with self._lock:
            missing = [name for name in names if name not in self._kept]
            shown = self._items_shown()
            read = read_columns(self._catalog, missing)
            self._kept |= read if shown is None else {name: each.of(shown) for name, each in read.items()}

    def _items_shown(self) -> NDArray[np.bool_] | None:
        """Which of all items are the tenant's."""
        if self._tenant is None:
            return None
        with self._lock:
            if self._shown is None:
                column = read_columns(self._catalog, [self._tenant.column])[self._tenant.column]
                owned = [*map(self._tenant.is_named, column.values), False]
                self._shown = np.array(owned, dtype=np.bool_)[column.codes]
            return self._shown


def _check(leaf: Leaf, held: set[Kind]) -> None:
    """Refuse to compare a column with a value of a kind that it does not hold."""
    values: tuple[Scalar, ...] = ()
    match leaf:
        case Compare():
            values = (leaf.value,)
        case OneOf():
            values = leaf.values
        case Known():
            pass
    for value in values:
        kind = kind_of(value)
        if held and kind is not None and kind not in held:
            shown = repr(value) if kind == "text" else str(value).lower()
            holds = " and ".join(_HELD[each] for each in sorted(held))
            hint = "; ".join(_WRITTEN[each] for each in sorted(held) if each in _WRITTEN)
            raise WhereError(
                f"Column {printable(leaf.column)!r} holds {holds}, and {printable(shown)} is {_ONE[kind]}. "
                f"Compare it with its own kind{': ' + hint if hint else ''}."
            )
