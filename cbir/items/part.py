"""A part of the items: by the values of a column (one split of several, one view, one site), or by a list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from cbir.errors import ColumnError, ItemsError
from cbir.items.table import as_text, read_table, real_path
from cbir.types import Item

_OWN_COLUMNS = ("label", "group")


@dataclass(frozen=True, slots=True)
class Part:
    """Items whose column has one of some values.

    Args:
        column: ``label``, ``group`` or one of the metadata.
        values: as text.
    """

    column: str
    values: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``COLUMN=VALUE`` or ``COLUMN=VALUE,VALUE``.

        Raises:
            ItemsError: no column, or no value.
        """
        column, sign, values = (each.strip() for each in text.partition("="))
        named = tuple(each.strip() for each in values.split(",") if each.strip())
        if not column or not sign or not named:
            raise ItemsError(
                f"{text!r} names no part of the items, and no file of this name is there. "
                "Write COLUMN=VALUE, such as split=test."
            )
        return cls(column, named)

    def __str__(self) -> str:
        return f"{self.column}={','.join(self.values)}"

    def of(self, items: Iterable[Item], where: str) -> list[Item]:
        """The items of this part.

        Args:
            items: all there are.
            where: they come from, for errors.

        Raises:
            ColumnError: no item has the column.
            ItemsError: no item has one of the values; names those there are.
        """
        values = values_of(items, self.column, where)
        chosen = [item for item, value in values if value in self.values]
        if not chosen:
            there = sorted({value for _, value in values if value is not None})
            some = ", ".join(there[:10]) + (" …" if len(there) > 10 else "")  # noqa: PLR2004
            raise ItemsError(f"{where} has no item with {self}; {self.column} is one of {some or 'none'}.")
        return chosen


@dataclass(frozen=True, slots=True)
class Listed:
    """The items whose files an items file lists.

    Args:
        name: of the items file, for errors.
        paths: absolute, as the system gives them.
    """

    name: str
    paths: frozenset[str]

    @classmethod
    def read(cls, path: str) -> Self:
        """Read the paths of an items file.

        Raises:
            ItemsError: as ``read_table``.
        """
        return cls(path, frozenset(real_path(row.path) for row in read_table(path).rows))

    def __str__(self) -> str:
        return self.name

    def of(self, items: Iterable[Item], where: str) -> list[Item]:
        """The items of these files.

        Raises:
            ItemsError: a file is not among the items.
        """
        chosen = [item for item in items if real_path(item.path) in self.paths]
        if n_missing := len(self.paths - {real_path(item.path) for item in chosen}):
            raise ItemsError(
                f"{n_missing} of the {len(self.paths)} files in {self.name} are not in {where}. Make an "
                "index of them with the same extractor, and let that one ask."
            )
        return chosen


Selection = Part | Listed
"""Some of the items."""


def values_of(items: Iterable[Item], column: str, where: str) -> list[tuple[Item, str | None]]:
    """Every item with its value of a column, as text.

    Raises:
        ColumnError: no item has the column.
    """
    listed = list(items)
    if column in _OWN_COLUMNS:
        return [(item, getattr(item, column)) for item in listed]
    if not any(column in item.metadata for item in listed):
        raise ColumnError(
            where, column, {*_OWN_COLUMNS, *(name for item in listed for name in item.metadata)}
        )
    return [(item, as_text(item.metadata.get(column))) for item in listed]
