"""Where images are looked for: a folder, a glob, a file, an items file that lists them, a PACS."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from cbir.errors import ItemsError
from cbir.items.dicomweb.address import PacsAddress, is_pacs

SourceKind = Literal["folder", "glob", "file", "table", "pacs"]

TABLE_SUFFIXES = (".csv", ".tsv", ".parquet")
_MAGIC = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Source:
    """One source; ``str(source)`` gives it back to ``Source.parse``, from whatever folder.

    Args:
        text: the absolute path or pattern; of a PACS, its URL.
        kind: what it is.
    """

    text: str
    kind: SourceKind

    @classmethod
    def parse(cls, text: str) -> Self:
        """Tell what a source is. What exists under that very name is no glob, even with a ``[`` in it.

        Raises:
            ItemsError: there is no such thing, nor is it a pattern.
        """
        if not text or "\0" in text:
            raise ItemsError(
                f"Source {text!r} is no path. Give a folder, a pattern, a file or an items file."
            )
        if is_pacs(text):
            return cls(str(PacsAddress.parse(text)), "pacs")
        path = os.path.abspath(text)  # noqa: PTH100 - Path would lose nothing here, but resolve() follows links
        if os.path.lexists(path):
            if os.path.isdir(path):  # noqa: PTH112
                return cls(path, "folder")
            return cls(path, "table" if path.lower().endswith(TABLE_SUFFIXES) else "file")
        if _MAGIC.isdisjoint(text):
            raise ItemsError(
                f"Source {text} does not exist. Give a folder, a pattern, a file or an items file."
            )
        source = cls(path, "glob")
        base, _ = source.base_and_pattern()
        if not Path(base).is_dir():
            raise ItemsError(f"Source {text}: there is no folder {base}. Correct the pattern.")
        return source

    def __str__(self) -> str:
        return self.text

    def base_and_pattern(self) -> tuple[str, tuple[str, ...]]:
        """Split a glob into the folder without ``*``, ``?`` and ``[``, and the components after it."""
        parts = self.text.split("/")
        n_plain = next((i for i, part in enumerate(parts) if not _MAGIC.isdisjoint(part)), len(parts))
        return "/".join(parts[:n_plain]) or "/", tuple(parts[n_plain:])
