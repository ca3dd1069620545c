"""The catalog: which files, which rows, which items. Asking; the writer's changes are in ``edits``.

Paths are kept as the bytes that the system uses, so that a name in any encoding comes back as it was; digests
are bytes, too.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from cbir.errors import IndexDamagedError, SkipReason
from cbir.types import Item, Scalar
from indexer.storage.records import JSON, FileRecord, Outcome
from indexer.storage.same import SHARING, Shared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cbir.images.tiles import Box

_ITEM = (
    "SELECT i.id, i.path, i.frame, i.label, i.grp, i.metadata, c.info, i.row "
    "FROM items i JOIN contents c ON c.row = i.row "
)
_PART = "SELECT row, head, box FROM contents "
_FILE = "SELECT path, size, mtime_ns, sha256, outcome, reason, detail FROM files "
_PAGE = 1000
_MAX_PARAMETERS = 500

Value = str | int | float | bytes | None
ItemColumns = tuple[str, bytes, int, str | None, str | None, str, str, int]
ImageKey = tuple[bytes, int]
"""What an image is known by: the sha256 of a file's bytes, and the frame."""
FileColumns = tuple[bytes, int, int, bytes | None, Outcome, str | None, str | None]


class Place(NamedTuple):
    """What a row is to a search: the items that are found by it, by id, and where in them it lies."""

    items: tuple[Item, ...] = ()
    box: Box | None = None


class Content(NamedTuple):
    """One image: its head row, which frame of which bytes it is, and what is known of it."""

    row: int
    sha256: str
    frame: int
    pixels_sha256: str
    notes: tuple[str, ...]


class Catalog:
    """Questions to one catalog. Threads may share it."""

    def __init__(self, connection: sqlite3.Connection, check: Callable[[], object] | None = None) -> None:
        """Take a connection, and what must be called before the first answer (it raises where it must)."""
        self._connection = connection
        self._check = check
        self._lock = threading.Lock()

    def n_items(self) -> int:
        """How many items."""
        return self._one_int("SELECT count(*) FROM items")

    def n_contents(self) -> int:
        """How many rows, dead ones too."""
        return self._one_int("SELECT count(*) FROM contents")

    def n_dead_rows(self) -> int:
        """How many rows have no items."""
        return self._one_int("SELECT count(*) FROM dead_rows")

    def dead_rows(self) -> list[int]:
        """The rows without items, ascending."""
        return [row for (row,) in self.rows("SELECT row FROM dead_rows ORDER BY row")]

    def item(self, item_id: str) -> tuple[Item, int] | None:
        """An item and its head row."""
        found = self.rows(_ITEM + "WHERE i.id = ?", item_id)
        return (item_of(found[0]), found[0][7]) if found else None

    def items(self) -> Iterator[Item]:
        """Every item, by id."""
        last = ""
        while page := self.rows(_ITEM + f"WHERE i.id > ? ORDER BY i.id LIMIT {_PAGE}", last):
            yield from map(item_of, page)
            last = page[-1][0]

    def places_of(self, rows: Sequence[int]) -> dict[int, Place]:
        """The place of each row; the parts of an image share its items."""
        found = dict.fromkeys(rows, Place())
        for start in range(0, len(rows), _MAX_PARAMETERS):
            some = rows[start : start + _MAX_PARAMETERS]
            parts = self.rows(_PART + f"WHERE row IN ({_marks(some)})", *some)
            items = self._items_of_heads(sorted({head for _, head, _ in parts}))
            for row, head, box in parts:
                found[row] = Place(items[head], None if box is None else tuple(json.loads(box)))
        return found

    def images_of(self, ids: Sequence[str]) -> dict[str, ImageKey]:
        """Which image each item has; ids that are no items are left out."""
        found: dict[str, ImageKey] = {}
        query = "SELECT i.id, c.sha256, c.frame FROM items i JOIN contents c ON c.row = i.row WHERE i.id IN "
        for start in range(0, len(ids), _MAX_PARAMETERS):
            some = ids[start : start + _MAX_PARAMETERS]
            found |= {
                each: (sha256, frame) for each, sha256, frame in self.rows(f"{query}({_marks(some)})", *some)
            }
        return found

    def images(self) -> list[ImageKey]:
        """Every image, also those without items."""
        return self.rows("SELECT sha256, frame FROM contents WHERE part = 0")

    def items_of_content(self, sha256: str) -> list[Item]:
        """The items with these bytes, by frame, then id."""
        return [
            item_of(row)
            for row in self.rows(_ITEM + "WHERE c.sha256 = ? ORDER BY i.frame, i.id", digest(sha256))
        ]

    def rows_of_group(self, group: str) -> list[int]:
        """The rows, all parts, with an item of this group, ascending."""
        query = (
            "SELECT row FROM items WHERE grp = ?1 UNION "
            "SELECT p.row FROM items i JOIN contents p ON p.head = i.row AND p.part > 0 WHERE i.grp = ?1"
        )
        return [row for (row,) in self.rows(query, group)]

    def parts_of(self, head: int) -> list[int]:
        """The rows of an image, part 0 first."""
        found = self.rows("SELECT row FROM contents WHERE head = ? AND part > 0 ORDER BY part", head)
        return [head, *(row for (row,) in found)]

    def content(self, row: int) -> Content:
        """What is known of an image, by its head row."""
        query = "SELECT row, sha256, frame, pixels_sha256, notes FROM contents WHERE row = ?"
        number, sha256, frame, pixels_sha256, notes = self.rows(query, row)[0]
        return Content(number, sha256.hex(), frame, pixels_sha256.hex(), tuple(json.loads(notes)))

    def items_that_share(self, what: Shared) -> list[list[str]]:
        """The ids of the items of every image that there is more than once, by id."""
        shared = groupby(self.rows(SHARING[what]), key=itemgetter(0))
        return [[item_id for _, item_id in rows] for _, rows in shared]

    def labels(self) -> dict[str, int]:
        """How many items each label has, by label."""
        query = "SELECT label, count(*) FROM items WHERE label IS NOT NULL GROUP BY label ORDER BY label"
        return dict(self.rows(query))

    def outcomes(self) -> dict[str, int]:
        """How many files had each outcome."""
        return dict(self.rows("SELECT outcome, count(*) FROM files GROUP BY outcome ORDER BY outcome"))

    def file(self, path: str) -> FileRecord | None:
        """What is known of a path."""
        found = self.rows(_FILE + "WHERE path = ?", os.fsencode(path))
        return _file(found[0]) if found else None

    def files(self, outcome: Outcome | None = None) -> Iterator[FileRecord]:
        """Every file (with this outcome), in byte order of the paths; changing them meanwhile is safe."""
        last = b""
        query = _FILE + f"WHERE path > ?1 AND (?2 IS NULL OR outcome = ?2) ORDER BY path LIMIT {_PAGE}"
        while page := self.rows(query, last, outcome):
            yield from map(_file, page)
            last = page[-1][0]

    def paths_of(self, sha256: str) -> list[str]:
        """The paths whose file had these bytes, in byte order."""
        found = self.rows("SELECT path FROM files WHERE sha256 = ? ORDER BY path", digest(sha256))
        return [os.fsdecode(path) for (path,) in found]

    def has_content(self, sha256: str) -> bool:
        """Whether there are rows for these bytes."""
        return bool(self.rows("SELECT 1 FROM contents WHERE sha256 = ? LIMIT 1", digest(sha256)))

    def frames_of(self, sha256: str) -> list[tuple[int, int]]:
        """The (frame, head row) pairs of these bytes, by frame."""
        query = "SELECT frame, row FROM contents WHERE sha256 = ? AND part = 0 ORDER BY frame"
        return self.rows(query, digest(sha256))

    def instance(self, instance: str) -> tuple[str, str] | None:
        """(sha256, pixels_sha256) of the first live image of this instance."""
        query = (
            "SELECT sha256, pixels_sha256 FROM contents WHERE instance = ? "
            "AND row NOT IN (SELECT row FROM dead_rows) ORDER BY frame, row LIMIT 1"
        )
        found = self.rows(query, instance)
        return (found[0][0].hex(), found[0][1].hex()) if found else None

    def memo(self, key: str) -> JSON:
        """The value kept under a key, or None."""
        found = self.rows("SELECT value FROM memo WHERE key = ?", key)
        value: JSON = json.loads(found[0][0]) if found else None
        return value

    def rows(self, query: str, *values: Value) -> list[tuple]:  # type: ignore[type-arg]
        """All answers to a query.

        Raises:
            IndexDamagedError: the file does not fit its checksum, or SQLite can't make sense of it.
        """
        try:
            with self._lock:
                if self._check is not None:
                    self._check()
                    self._check = None
                return self._connection.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise IndexDamagedError(f"The catalog can't be read: {error}. Build the index again.") from error

    def close(self) -> None:
        """Close the connection; twice is fine."""
        with self._lock:
            self._connection.close()

    def _items_of_heads(self, heads: Sequence[int]) -> dict[int, tuple[Item, ...]]:
        found: dict[int, list[Item]] = {head: [] for head in heads}
        for columns in self.rows(_ITEM + f"WHERE i.row IN ({_marks(heads)}) ORDER BY i.id", *heads):
            found[columns[7]].append(item_of(columns))
        return {head: tuple(items) for head, items in found.items()}

    def _one_int(self, query: str) -> int:
        count: int = self.rows(query)[0][0]
        return count


def digest(sha256: str | None) -> bytes | None:
    """A digest as it is stored; what is not in hex digits is no digest, and equal to none."""
    try:
        return None if sha256 is None else bytes.fromhex(sha256)
    except ValueError:
        return None


def item_of(columns: ItemColumns) -> Item:
    """An item from its columns; what the person said wins over what the file itself says."""
    item_id, path, frame, label, group, metadata, info, _ = columns
    known: dict[str, Scalar] = json.loads(info) if info != "{}" else {}
    if metadata != "{}":
        known.update(json.loads(metadata))
    return Item(item_id, os.fsdecode(path), frame, label, group, known)


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _file(columns: FileColumns) -> FileRecord:
    path, size, mtime_ns, sha256, outcome, reason, detail = columns
    why = None if reason is None else SkipReason(reason)
    digits = None if sha256 is None else sha256.hex()
    return FileRecord(os.fsdecode(path), size, mtime_ns, digits, outcome, why, detail)
