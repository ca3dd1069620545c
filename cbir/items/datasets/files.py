"""The files of a release, wherever below its folder they lie."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from cbir.errors import ItemsError
from cbir.items.cells import read_csv
from cbir.items.found import Found
from cbir.items.walk import walk


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

    def table(self, name: str, needed: Iterable[str]) -> list[dict[str, str]]:
        """Read the CSV table of this name.

        Args:
            name: in any case.
            needed: columns that must be there.

        Returns:
            Its rows; cells stripped.

        Raises:
            ItemsError: there is none, or several, or it can't be read, or lacks a column.
        """
        found = self.named(name)
        if len(found) != 1:
            raise ItemsError(f"{self.folder} has {len(found)} files {name}; there must be one.")
        cells = read_csv(found[0])
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
