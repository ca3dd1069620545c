"""Which items make a case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from cbir.errors import ColumnError
from cbir.items.table import as_text
from cbir.types import Item

if TYPE_CHECKING:
    from indexer.index import Index

CASE_COLUMNS = ("case", "study", "group")
"""What tells cases apart where no column is named: the first of these that an item has a value of.

``study`` is the keyed hash of a DICOM file's Study Instance UID; ``group`` is the patient.
"""

_OWN_COLUMNS = ("label", "group")
_MEANINGS = {"study": ("a case is a DICOM study",), "group": ("a case is a group (a patient)",)}


@dataclass(frozen=True, slots=True, eq=False)
class CaseTable:
    """The cases of some items.

    Args:
        column: that tells them apart.
        items: ids of the items of each case, ascending; the cases ascending, too.
        n_left_out: items without a value of the column: they are of no case.
    """

    column: str
    items: Mapping[str, tuple[str, ...]]
    n_left_out: int

    @classmethod
    def of(cls, items: Iterable[Item], column: str) -> Self:
        """Sort items into cases."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        n_left_out = 0
        for item in items:
            if (case := case_of(item, column)) is None:
                n_left_out += 1
            else:
                found[case].append(item.id)
        return cls(column, {case: tuple(sorted(found[case])) for case in sorted(found)}, n_left_out)

    @classmethod
    def of_index(cls, index: Index, column: str) -> Self:
        """Sort all items of an index, without looking at each."""
        ids, cases = index.values(["id", column])
        names = [as_text(value) for value in cases.values]
        found: defaultdict[str, list[str]] = defaultdict(list)
        n_left_out = 0
        for item, code in zip(ids.codes.tolist(), cases.codes.tolist(), strict=True):
            case = names[code] if code >= 0 else None
            if case is None:
                n_left_out += 1
            else:
                found[case].append(str(ids.values[item]))
        return cls(column, {case: tuple(found[case]) for case in sorted(found)}, n_left_out)

    @property
    def n_items(self) -> int:
        """Those of a case."""
        return sum(map(len, self.items.values()))

    def notes(self) -> tuple[str, ...]:
        """What a reader must know of it; a sentence each."""
        return (*_MEANINGS.get(self.column, ()), *_left_out(self.n_left_out, self.column))


def case_column(index: Index, wanted: str | None = None) -> str:
    """The column that tells cases apart: the one wanted, or else the first of CASE_COLUMNS that is there.

    Raises:
        ColumnError: no item has a value of it.
    """
    names = (wanted,) if wanted else CASE_COLUMNS
    for name, column in zip(names, index.values(names), strict=True):
        if any(as_text(value) for value in column.values):
            return name
    raise ColumnError(str(index.path), names[0], {each.name for each in index.columns()})


def case_of(item: Item, column: str) -> str | None:
    """The case that an item is of, as text; None when it does not say."""
    value = getattr(item, column) if column in _OWN_COLUMNS else item.metadata.get(column)
    return as_text(value) or None


def _left_out(n_items: int, column: str) -> tuple[str, ...]:
    """The sentence on items of no case, if there are any."""
    if not n_items:
        return ()
    return (f"{n_items} {'item has' if n_items == 1 else 'items have'} no {column}, and are of no case",)
