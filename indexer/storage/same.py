"""Items that share the bytes of a file, or its pixels: what the catalog is asked."""

from __future__ import annotations

from typing import Literal

Shared = Literal["bytes", "pixels"]
"""``bytes``: one frame of one content, under several paths. ``pixels``: several contents, the same pixels."""

SHARING: dict[Shared, str] = {
    "bytes": (
        "SELECT row, id FROM items WHERE row IN (SELECT row FROM items GROUP BY row HAVING count(*) > 1) "
        "ORDER BY row, id"
    ),
    "pixels": (
        "WITH shown AS (SELECT row, pixels_sha256 AS pixels FROM contents WHERE part = 0 "
        "AND row NOT IN (SELECT row FROM dead_rows)) "
        "SELECT s.pixels, i.id FROM shown s JOIN items i ON i.row = s.row WHERE s.pixels IN "
        "(SELECT pixels FROM shown GROUP BY pixels HAVING count(*) > 1) ORDER BY s.pixels, i.id"
    ),
}
"""A row an item: what it shares, and its id; in this order."""
