"""A column of the items, read from the catalog: its distinct values, and which of them each item has."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cbir.items.where import OWN_COLUMNS, kind_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from cbir.items.where import Kind, Scalar
    from indexer.catalog import Catalog

_PAGE = 20_000
_OWN = {"id": "id", "path": "path", "frame": "frame", "label": "label", "group": "grp"}


class Column(NamedTuple):
    """A column.

    Args:
        codes: (n_items,), which of the values each item has, by item id; -1 where it is unknown.
        values: distinct, none of them unknown.
    """

    codes: NDArray[np.int32]
    values: tuple[Scalar, ...]

    @property
    def kinds(self) -> set[Kind]:
        """Of the values."""
        return {kind for value in self.values if (kind := kind_of(value))}

    @property
    def counts(self) -> NDArray[np.int64]:
        """(n_values,), how many items have each."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.values))

    def of(self, items: NDArray[np.bool_]) -> Column:
        """The column of some of the items."""
        used, codes = np.unique(self.codes[items], return_inverse=True)
        known = used[used >= 0].tolist()
        shift = len(used) - len(known)
        return Column((codes - shift).astype(np.int32), tuple(self.values[code] for code in known))


def read_columns(catalog: Catalog, names: Collection[str]) -> dict[str, Column]:
    """The columns of all items; one that no item has has no values."""
    own = {name: _encoded(_own_values(catalog, name)) for name in names if name in OWN_COLUMNS}
    others = [name for name in names if name not in OWN_COLUMNS]
    found: dict[str, list[Scalar | None]] = {name: [] for name in others}
    unsaid: dict[str, list[tuple[int, int]]] = {name: [] for name in others}
    for start, heads, said in _said(catalog) if others else ():
        for name in others:
            found[name] += [each.get(name) for each in said]
            unsaid[name] += [
                (number, head)
                for number, (head, each) in enumerate(zip(heads, said, strict=True), start)
                if name not in each
            ]
    _fill(catalog, found, unsaid)
    return own | {name: _encoded(values) for name, values in found.items()}


def read_names(catalog: Catalog, shown: NDArray[np.bool_] | None) -> list[str]:
    """The columns that some items have (None for all): what every item has, then their metadata in order."""
    names: set[str] = set()
    shown_heads: set[int] = set()
    for start, heads, said in _said(catalog):
        for number, (head, each) in enumerate(zip(heads, said, strict=True), start):
            if shown is None or shown[number]:
                names.update(each)
                shown_heads.add(head)
    for head, read in _read(catalog):
        if head in shown_heads:
            names.update(read)
    return [*OWN_COLUMNS, *sorted(names.difference(OWN_COLUMNS))]


def read_heads(catalog: Catalog) -> NDArray[np.int64]:
    """(n_items,), the head row of each item, by item id."""
    return np.array([row for page in _pages(catalog, "row") for _, row in page], dtype=np.int64)


def read_parts(catalog: Catalog) -> NDArray[np.int64]:
    """(n, 2), the row and the head row of every part of an image but its first."""
    found = catalog.rows("SELECT row, head FROM contents WHERE part > 0")
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def _own_values(catalog: Catalog, name: str) -> list[Scalar | None]:
    values = [value for page in _pages(catalog, _OWN[name]) for _, value in page]
    return [os.fsdecode(path) for path in values] if name == "path" else values


def _fill(
    catalog: Catalog,
    found: Mapping[str, list[Scalar | None]],
    unsaid: Mapping[str, Sequence[tuple[int, int]]],
) -> None:
    """What nobody said of an item is what its file says."""
    names = [name for name, missing in unsaid.items() if missing]
    read: dict[str, dict[int, Scalar | None]] = {name: {} for name in names}
    for head, each in _read(catalog) if names else ():
        for name in names:
            if name in each:
                read[name][head] = each[name]
    for name in names:
        for number, head in unsaid[name] if read[name] else ():
            found[name][number] = read[name].get(head)


def _said(catalog: Catalog) -> Iterator[tuple[int, Sequence[int], Sequence[Mapping[str, Scalar | None]]]]:
    """Page by page: the first item's number, the items' head rows, and what was said of each."""
    start = 0
    for page in _pages(catalog, "row, metadata"):
        _, heads, texts = zip(*page, strict=True)
        yield start, heads, _parsed(texts)
        start += len(page)


def _read(catalog: Catalog) -> Iterator[tuple[int, Mapping[str, Scalar | None]]]:
    """What files say, by head row."""
    query = "SELECT row, info FROM contents WHERE row > ? AND part = 0 AND info <> '{}' ORDER BY row LIMIT ?"
    last = -1
    while page := catalog.rows(query, last, _PAGE):
        heads, texts = zip(*page, strict=True)
        yield from zip(heads, _parsed(texts), strict=True)
        last = heads[-1]


def _parsed(texts: Iterable[str]) -> list[Mapping[str, Scalar | None]]:
    # One document is parsed in a third of the time of many.
    parsed: list[Mapping[str, Scalar | None]] = json.loads(f"[{','.join(texts)}]")
    return parsed


def _pages(catalog: Catalog, columns: str) -> Iterator[Sequence[tuple]]:  # type: ignore[type-arg]  # SQLite's
    query = f"SELECT id, {columns} FROM items WHERE id > ? ORDER BY id LIMIT {_PAGE}"  # noqa: S608 - this file's
    last = ""
    while page := catalog.rows(query, last):
        yield page
        last = page[-1][0]


def _encoded(values: Sequence[Scalar | None]) -> Column:
    numbers: dict[tuple[bool, Scalar | None], int] = {}
    # True equals 1, but is no number.
    codes = [numbers.setdefault((value.__class__ is bool, value), len(numbers)) for value in values]
    distinct = [value for _, value in numbers]
    known = np.array([kind_of(value) is not None for value in distinct], dtype=np.bool_)
    renumbered = np.where(known, np.cumsum(known) - 1, -1).astype(np.int32)
    kept = tuple(value for value in distinct if value is not None and kind_of(value))
    return Column(renumbered[np.array(codes, dtype=np.int64)], kept)
