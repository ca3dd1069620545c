"""The changes that a writer makes to its scratch copy of the catalog."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from indexer.catalog import digest
from indexer.storage.schema import SCHEMA
from indexer.writing.changes import COUNT_THEM

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from cbir.types import Scalar
    from indexer.storage.records import JSON, FileRecord, NewImage

_ID_DIGITS = 16
_NOTHING = ("{}", None, None, "[]")


@dataclass(frozen=True, slots=True)
class Annotations:
    """What the person said of a file: label, group, other columns."""

    label: str | None = None
    group: str | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)


def open_scratch(path: Path, *, new: bool) -> sqlite3.Connection:
    """Open a catalog that only this writer sees: it is published whole or thrown away, so no journal.

    Deleted content is overwritten with zeros: what was removed can't be read from a published file.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "secure_delete=ON", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        if new:
            connection.executescript(SCHEMA)
        connection.executescript(COUNT_THEM)
        connection.execute("BEGIN")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def put_file(connection: sqlite3.Connection, record: FileRecord, generation: int) -> None:
    """Set what is known of a path."""
    connection.execute(
        "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            os.fsencode(record.path),
            record.size,
            record.mtime_ns,
            digest(record.sha256),
            record.outcome,
            record.reason,
            _plain(record.detail),
            generation,
        ),
    )


def put_image(connection: sqlite3.Connection, rows: Sequence[int], image: NewImage) -> None:
    """Describe the new rows of an image, part 0 first; what is known of it is said once, at the head."""
    digests = digest(image.sha256), digest(image.pixels_sha256)
    said = (json.dumps(dict(image.info)), image.instance, _plain(image.group), json.dumps(image.notes))
    boxes = [json.dumps(box) for box in image.boxes]
    for part, row in enumerate(rows):
        box = boxes[part] if boxes else None
        connection.execute(
            "INSERT INTO contents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (row, rows[0], digests[0], image.frame, part, box, digests[1], *(_NOTHING if part else said)),
        )


def head_of(connection: sqlite3.Connection, sha256: str, frame: int) -> int | None:
    """The head row of a frame of these bytes."""
    query = "SELECT row FROM contents WHERE sha256 = ? AND frame = ? AND part = 0"
    found = connection.execute(query, (digest(sha256), frame)).fetchone()
    return None if found is None else int(found[0])


def set_items(
    connection: sqlite3.Connection, path: str, frames: Sequence[tuple[int, int]], said: Annotations
) -> None:
    """Make (frame, head row) pairs the items of a path; a frame that was an item there keeps its id."""
    key = os.fsencode(path)
    before = dict(connection.execute("SELECT frame, id FROM items WHERE path = ?", (key,)).fetchall())
    delete_items_of(connection, path)
    for frame, row in frames:
        item_id = before.get(frame) or _new_id(connection, key, frame)
        metadata = json.dumps(dict(said.metadata))
        connection.execute(
            "INSERT INTO items SELECT ?, ?, ?, row, ?, coalesce(?, own_group), ? FROM contents WHERE row = ?",
            (item_id, key, frame, _plain(said.label), _plain(said.group), metadata, row),
        )


def annotate(connection: sqlite3.Connection, path: str, said: Annotations) -> bool:
    """Set label, group and metadata of a path's items; whether that changed anything."""
    changed = connection.execute(
        "UPDATE items SET label = ?1, metadata = ?3, grp = coalesce(?2, "
        "(SELECT own_group FROM contents c WHERE c.row = items.row)) "
        "WHERE path = ?4 AND (label IS NOT ?1 OR metadata IS NOT ?3 OR grp IS NOT coalesce(?2, "
        "(SELECT own_group FROM contents c WHERE c.row = items.row)))",
        (_plain(said.label), _plain(said.group), json.dumps(dict(said.metadata)), os.fsencode(path)),
    )
    return changed.rowcount > 0


def move_items(connection: sqlite3.Connection, old_path: str, new_path: str) -> None:
    """Carry items to another path, where no items are."""
    paths = (os.fsencode(new_path), os.fsencode(old_path))
    connection.execute("UPDATE items SET path = ? WHERE path = ?", paths)


def delete_items_of(connection: sqlite3.Connection, path: str) -> int:
    """Remove a path's items; how many there were."""
    return connection.execute("DELETE FROM items WHERE path = ?", (os.fsencode(path),)).rowcount


def delete_file(connection: sqlite3.Connection, path: str) -> None:
    """Forget a path."""
    connection.execute("DELETE FROM files WHERE path = ?", (os.fsencode(path),))


def delete_items(connection: sqlite3.Connection, item_ids: Iterable[str]) -> int:
    """Remove items, and forget files that have none left; how many items there were."""
    removed = 0
    for item_id in item_ids:
        found = connection.execute("SELECT path FROM items WHERE id = ?", (item_id,)).fetchone()
        if found is None:
            continue
        removed += connection.execute("DELETE FROM items WHERE id = ?", (item_id,)).rowcount
        connection.execute(
            "DELETE FROM files WHERE path = ?1 AND NOT EXISTS (SELECT 1 FROM items WHERE path = ?1)", found
        )
    return removed


def delete_files(connection: sqlite3.Connection, paths: Iterable[str]) -> int:
    """Forget paths and remove their items; how many items there were."""
    removed = 0
    for path in paths:
        removed += delete_items_of(connection, path)
        delete_file(connection, path)
    return removed


def put_memo(connection: sqlite3.Connection, key: str, value: JSON) -> None:
    """Keep a value under a key."""
    connection.execute("INSERT OR REPLACE INTO memo VALUES (?, ?)", (key, json.dumps(value)))


def drop_dead_rows(connection: sqlite3.Connection, spare: Path) -> None:
    """Forget the rows without items and number the others anew from 0, in their order; shrink the file.

    Args:
        connection: to the scratch catalog.
        spare: a file that is not there, on the same disk; it is gone afterwards.
    """
    connection.execute("DELETE FROM contents WHERE row IN (SELECT row FROM dead_rows)")
    connection.execute("DELETE FROM dead_rows")
    connection.execute("CREATE TEMP TABLE moves (old INTEGER PRIMARY KEY, new INTEGER)")
    connection.execute(
        "INSERT INTO moves SELECT row, row_number() OVER (ORDER BY row) - 1 FROM contents ORDER BY row"
    )
    # New numbers are smaller than old ones: in ascending order, none is taken when it is needed. All parts of
    # an image live or die together, so that they still follow their head.
    moves = connection.execute("SELECT new, old FROM moves WHERE new != old ORDER BY old")
    connection.executemany("UPDATE contents SET row = ?1, head = ?1 - part WHERE row = ?2", moves)
    # An index that is changed entry by entry takes ten times as long as one made anew.
    (by_row,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'items_by_row'").fetchone()
    connection.execute("DROP INDEX items_by_row")
    connection.execute("UPDATE items SET row = (SELECT new FROM moves WHERE old = items.row)")
    connection.execute(by_row)
    connection.execute("DROP TABLE moves")
    connection.execute("COMMIT")
    _shrink(connection, spare)
    connection.execute("BEGIN")


def _shrink(connection: sqlite3.Connection, spare: Path) -> None:
    """VACUUM, by way of a file: with temporary tables in memory it would hold the whole catalog there."""
    connection.execute("VACUUM INTO ?", (str(spare),))
    with contextlib.closing(sqlite3.connect(spare)) as shrunk:
        shrunk.backup(connection)
    spare.unlink()


def _new_id(connection: sqlite3.Connection, path: bytes, frame: int) -> str:
    # A moved file keeps its id, so another file may come to the path that gave it: count on then.
    name = path + b"\0" + str(frame).encode("ascii")
    item_id = hashlib.sha256(name).hexdigest()[:_ID_DIGITS]
    counter = 0
    while connection.execute("SELECT 1 FROM items WHERE id = ?", (item_id,)).fetchone():
        counter += 1
        item_id = hashlib.sha256(name + b"\0" + str(counter).encode("ascii")).hexdigest()[:_ID_DIGITS]
    return item_id


def _plain(text: str | None) -> str | None:
    # Lone surrogates (of a folder name that is no UTF-8) become escapes: SQLite and terminals refuse them.
    return None if text is None else text.encode("utf-8", "backslashreplace").decode("utf-8")
