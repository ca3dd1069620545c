"""From any older format to today's."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from cbir.errors import IndexMissingError
from indexer.formats import parts

if TYPE_CHECKING:
    from pathlib import Path

    from indexer.formats.step import Document, Step

_STEPS: tuple[Step, ...] = (parts.STEP,)
"""The first leads from format 1 to 2, the next one on from there. A new format is a line here."""

FORMAT = len(_STEPS) + 1
"""What this version writes."""


def check_format(found: object, path: Path) -> int:
    """The format that a manifest names, if it is one that can be read.

    Raises:
        ValueError: no format.
        IndexMissingError: a newer one.
    """
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise ValueError(f"format {found!r}")
    if found > FORMAT:
        raise IndexMissingError(
            f"{str(path)!r} is of format {found}, this version of cbir reads formats up to {FORMAT}. "
            "Update cbir, or use the version that wrote it."
        )
    return found


def upgrade_manifest(document: Document, found: int) -> Document:
    """A manifest's document as today's format has it."""
    for step in _STEPS[found - 1 :]:
        document = step.manifest(document)
    return document


def upgrade_catalog(connection: sqlite3.Connection, found: int) -> None:
    """Bring a catalog that nobody else sees to today's tables, in the transaction that is open.

    Raises:
        sqlite3.Error: the disk refused, or the tables are not those of that format.
    """
    for step in _STEPS[found - 1 :]:
        for statement in step.catalog:
            connection.execute(statement)


def open_older(path: Path, found: int) -> sqlite3.Connection:
    """Open a published catalog of an older format as today's: a private copy, gone when it is closed.

    Nothing is written beside the catalog: SQLite keeps the copy in memory, and in its temporary folder what
    is too much for that.

    Raises:
        sqlite3.Error: it can't be opened, copied or upgraded.
    """
    copy = sqlite3.connect("", check_same_thread=False, isolation_level=None)
    try:
        with closing(connect_published(path)) as published:
            published.backup(copy)
        copy.execute("BEGIN")
        upgrade_catalog(copy, found)
        copy.execute("COMMIT")
        copy.execute("PRAGMA query_only=ON")
    except BaseException:
        copy.close()
        raise
    return copy


def connect_published(path: Path) -> sqlite3.Connection:
    """Open a published catalog, which nobody will ever change, as it is."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    return sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
