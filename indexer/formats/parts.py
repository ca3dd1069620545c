"""Format 2 knows the parts of an image: several embeddings, the first of which is the head of the others.

In format 1 an image was one embedding: each becomes a head without further parts.
"""

from __future__ import annotations

from indexer.formats.step import Document, Step


def _manifest(document: Document) -> Document:
    return {**document, "format": 2}


_CATALOG = (
    "DROP TRIGGER item_added",
    "DROP TRIGGER item_removed",
    """CREATE TABLE contents_of_parts (
        row INTEGER PRIMARY KEY, head INTEGER NOT NULL, sha256 BLOB NOT NULL, frame INTEGER NOT NULL,
        part INTEGER NOT NULL, box TEXT, pixels_sha256 BLOB NOT NULL,
        info TEXT NOT NULL, instance TEXT, own_group TEXT, notes TEXT NOT NULL,
        UNIQUE (sha256, frame, part)
    )""",
    """INSERT INTO contents_of_parts
        SELECT row, row, sha256, frame, 0, NULL, pixels_sha256, info, instance, own_group, notes
        FROM contents ORDER BY row""",
    "DROP TABLE contents",
    "ALTER TABLE contents_of_parts RENAME TO contents",
    "CREATE INDEX contents_by_instance ON contents (instance) WHERE instance IS NOT NULL",
    "CREATE INDEX parts_by_head ON contents (head, part) WHERE part > 0",
    """CREATE TRIGGER item_added AFTER INSERT ON items BEGIN
        DELETE FROM dead_rows WHERE row = NEW.row;
        DELETE FROM dead_rows WHERE row IN (SELECT row FROM contents WHERE head = NEW.row AND part > 0);
    END""",
    """CREATE TRIGGER item_removed AFTER DELETE ON items
        WHEN NOT EXISTS (SELECT 1 FROM items WHERE row = OLD.row) BEGIN
        INSERT OR IGNORE INTO dead_rows VALUES (OLD.row);
        INSERT OR IGNORE INTO dead_rows SELECT row FROM contents WHERE head = OLD.row AND part > 0;
    END""",
)

STEP = Step(_manifest, _CATALOG)
