"""The tables of a catalog.

``contents`` has a line for every embedding. The parts of one image (a frame of some bytes) are rows that
follow one another, part 0 first; that row is the head, which items point to and which says what is known of
the image. An image taken as a whole is a head alone.
"""

from __future__ import annotations

SCHEMA = """
CREATE TABLE files (
    path BLOB PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, sha256 BLOB,
    outcome TEXT NOT NULL, reason TEXT, detail TEXT, generation INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX files_by_sha256 ON files (sha256) WHERE sha256 IS NOT NULL;
CREATE TABLE contents (
    row INTEGER PRIMARY KEY, head INTEGER NOT NULL, sha256 BLOB NOT NULL, frame INTEGER NOT NULL,
    part INTEGER NOT NULL, box TEXT, pixels_sha256 BLOB NOT NULL,
    info TEXT NOT NULL, instance TEXT, own_group TEXT, notes TEXT NOT NULL, UNIQUE (sha256, frame, part)
);
CREATE INDEX contents_by_instance ON contents (instance) WHERE instance IS NOT NULL;
CREATE INDEX parts_by_head ON contents (head, part) WHERE part > 0;
CREATE TABLE items (
    id TEXT PRIMARY KEY, path BLOB NOT NULL, frame INTEGER NOT NULL, row INTEGER NOT NULL,
    label TEXT, grp TEXT, metadata TEXT NOT NULL, UNIQUE (path, frame)
) WITHOUT ROWID;
CREATE INDEX items_by_row ON items (row);
CREATE INDEX items_by_group ON items (grp) WHERE grp IS NOT NULL;
CREATE TABLE dead_rows (row INTEGER PRIMARY KEY);
CREATE TRIGGER item_added AFTER INSERT ON items BEGIN
    DELETE FROM dead_rows WHERE row = NEW.row;
    DELETE FROM dead_rows WHERE row IN (SELECT row FROM contents WHERE head = NEW.row AND part > 0);
END;
CREATE TRIGGER item_removed AFTER DELETE ON items
    WHEN NOT EXISTS (SELECT 1 FROM items WHERE row = OLD.row) BEGIN
    INSERT OR IGNORE INTO dead_rows VALUES (OLD.row);
    INSERT OR IGNORE INTO dead_rows SELECT row FROM contents WHERE head = OLD.row AND part > 0;
END;
CREATE TABLE memo (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
