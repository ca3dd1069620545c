"""Items in some order, with the bytes they are of and the rows of their embeddings, page by page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, NamedTuple

from indexer.catalog import item_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbir.images.tiles import Box
    from cbir.types import Item
    from indexer.catalog import Catalog, Value

Order = Literal["path", "content"]
"""By path (as bytes) and frame; or by sha256 of the bytes, frame, then path."""

PAGE = 1000
_KEYS: dict[Order, tuple[str, tuple[Value, ...]]] = {
    "path": ("i.path, i.frame", (b"", -1)),
    "content": ("c.sha256, c.frame, i.path", (b"", -1, b"")),
}
_COLUMNS = (
    "i.id, i.path, i.frame, i.label, i.grp, i.metadata, c.info, i.row, c.sha256, c.frame, c.pixels_sha256"
)
_PATH, _ROW, _SHA256, _FRAME, _PIXELS = 1, 7, 8, 9, 10
_MAX_PARAMETERS = 500


class Listed(NamedTuple):
    """An item, and what it is of.

    Args:
        item: as the catalog has it.
        sha256: of the file's bytes, hex.
        pixels_sha256: of the pixels as read, hex.
        rows: of its embeddings, part 0 first.
        boxes: one a part; None where the image was taken as a whole.
    """

    item: Item
    sha256: str
    pixels_sha256: str
    rows: tuple[int, ...]
    boxes: tuple[Box | None, ...]


def pages(catalog: Catalog, order: Order = "path") -> Iterator[list[Listed]]:
    """Every item, ``PAGE`` at a time, so that memory stays small."""
    key, last = _KEYS[order]
    marks = ", ".join("?" * len(last))
    query = (
        f"SELECT {_COLUMNS} FROM items i JOIN contents c ON c.row = i.row "  # noqa: S608 (words of this file)
        f"WHERE ({key}) > ({marks}) ORDER BY {key} LIMIT {PAGE}"
    )
    while found := catalog.rows(query, *last):
        yield _with_parts(catalog, found)
        end = found[-1]
        last = (end[_PATH], end[2]) if order == "path" else (end[_SHA256], end[_FRAME], end[_PATH])


def _with_parts(catalog: Catalog, found: Sequence[tuple]) -> list[Listed]:  # type: ignore[type-arg]  # as SQLite gives them
    parts: dict[int, list[tuple[int, Box | None]]] = {row[_ROW]: [] for row in found}
    heads = list(parts)
    for start in range(0, len(heads), _MAX_PARAMETERS):
        some = heads[start : start + _MAX_PARAMETERS]
        marks = ",".join("?" * len(some))
        for query in (
            f"SELECT row, row, box FROM contents WHERE row IN ({marks})",  # noqa: S608 (question marks)
            f"SELECT row, head, box FROM contents WHERE part > 0 AND head IN ({marks}) ORDER BY head, part",  # noqa: S608 (likewise)
        ):
            for row, head, box in catalog.rows(query, *some):
                parts[head].append((row, None if box is None else tuple(json.loads(box))))
    return [
        Listed(
            item_of(row[: _ROW + 1]),
            row[_SHA256].hex(),
            row[_PIXELS].hex(),
            tuple(each for each, _ in parts[row[_ROW]]),
            tuple(box for _, box in parts[row[_ROW]]),
        )
        for row in found
    ]
