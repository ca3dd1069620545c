"""The files of a release, wherever below its folder they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from cbir.errors import ItemsError
from cbir.items.cells import read_csv, read_sheet
from cbir.items.found import Found
from cbir.items.walk import walk
from cbir.items.workbook import WORKBOOK_SUFFIXES


@dataclass(frozen=True, slots=True)
class Files:
    """Regular files, sorted by folder and name.

    Args:
        folder: absolute.
        paths: below it.
        n_refused: how many symbolic links and the like were passed over.
    """

    folder: str
    paths: tuple[str, ...]
    n_refused: int

    @classmethod
    def below(cls, folder: str) -> Self:
        """Look once; links are not followed."""
        found = list(walk(folder))
        paths = tuple(each.path for each in found if isinstance(each, Found))
        return cls(folder, paths, len(found) - len(paths))

    def ending(self, *suffixes: str) -> list[str]:
        """Those with one of these suffixes, in any case."""
        return [path for path in self.paths if path.lower().endswith(suffixes)]

    def named(self, name: str) -> list[str]:
        """Those of this name, in any case."""
        return [path for path in self.paths if file_name(path).lower() == name.lower()]

    def sheets(self, name: str) -> list[str]:
        """Tables of this name, in any case, with a dash, a line or a space between its words.

        Args:
            name: without its suffix.

        Returns:
            The CSV files if there are any, else the workbooks.
        """
        wanted = _words(name)
        found = [path for path in self.ending(".csv", *WORKBOOK_SUFFIXES) if _words(stem(path)) == wanted]
        return [path for path in found if path.lower().endswith(".csv")] or found

    def table(self, name: str, needed: Sequence[str], *, sheet: str | None = None) -> list[dict[str, str]]:
        """Read the table of this name, from a CSV file or else from a workbook.

        Args:
            name: without its suffix, as for ``sheets``.
            needed: columns that must be there.
            sheet: of a workbook with several.

        Returns:
            Its rows; cells stripped.

        Raises:
            ItemsError: there is none, or several, or it can't be read, or lacks a column.
        """
        found = self.sheets(name)
        if len(found) != 1:
            raise ItemsError(f"{self.folder} has {len(found)} files {name}.csv; there must be one.")
        is_csv = found[0].lower().endswith(".csv")
        cells = read_csv(found[0]) if is_csv else read_sheet(found[0], needed, sheet=sheet)
        missing = [column for column in needed if column not in cells.columns]
        if missing:
            there = ", ".join(cells.columns)
            raise ItemsError(f"{found[0]} has no column {missing[0]!r}; its columns are {there}.")
        stripped = [[str(cell).strip() for cell in column] for column in cells.columns.values()]
        return [dict(zip(cells.columns, row, strict=True)) for row in zip(*stripped, strict=True)]


def file_name(path: str) -> str:
    """The last part of a path."""
    return path.rsplit("/", 1)[-1]


def stem(path: str) -> str:
    """The file's name without its suffix, and without spaces at its ends."""
    name = file_name(path).strip()
    head, dot, suffix = name.rpartition(".")
    return head.strip() if dot and suffix.isalpha() else name


def _words(name: str) -> str:
    return name.lower().replace("-", " ").replace("_", " ")
