"""A file of queries: CSV or Parquet with a column ``path`` or ``id``, a row a query."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbir.errors import ItemsError
from cbir.images.region import parse_region
from cbir.items.cells import Cells, read_csv, read_parquet
from cbir.items.table import as_text

if TYPE_CHECKING:
    from cbir.images.tiles import Box


@dataclass(frozen=True, slots=True)
class AskedRow:
    """One query.

    Args:
        row: from 1, in the file.
        text: the path or id as it stands there.
        path: of an image file, absolute; None where an item is named.
        item_id: of an item; None where a file is named.
        region: of the image, in pixels; None for the whole.
        group: the patient, where the file says so; it goes before what the image or index knows.
        problem: why it can't be asked at all; None where it can.
    """

    row: int
    text: str
    path: str | None = None
    item_id: str | None = None
    region: Box | None = None
    group: str | None = None
    problem: str | None = None


def read_queries(path: str) -> list[AskedRow]:
    """Read a file of queries.

    Each row names an image in ``path`` (relative to the file's own folder) or an item in ``id``. It may give
    a region, ``x,y,w,h``, in ``roi``, and the patient in ``group``, else in ``patient_id``. Other columns are
    ignored. A row that makes no sense is a query with a ``problem``: the others are still asked.

    Raises:
        ItemsError: the file can't be read, or has neither column.
    """
    path = os.path.abspath(path)  # noqa: PTH100 - resolve() would follow links
    cells = read_parquet(path) if path.lower().endswith(".parquet") else read_csv(path)
    if not {"path", "id"} & set(cells.columns):
        there = ", ".join(cells.columns)
        raise ItemsError(f"{path} has no column 'path' and no column 'id'; its columns are {there}. Add one.")
    group = next((name for name in ("group", "patient_id") if name in cells.columns), "group")
    names = ("path", "id", "roi", group)
    rows = zip(*(_texts(cells, name) for name in names), strict=True)
    folder = os.path.dirname(path)  # noqa: PTH120
    return [_asked(number, folder, row) for number, row in enumerate(rows, start=1)]


def _asked(number: int, folder: str, row: tuple[str | None, ...]) -> AskedRow:
    path, item_id, roi, group = row
    if path and item_id:
        return AskedRow(number, path, problem=f"the row has the path {path} and the id {item_id}: keep one")
    if item_id:
        problem = "a region is of an image file, and the row names an item: give its path" if roi else None
        return AskedRow(number, item_id, item_id=item_id, group=group, problem=problem)
    if not path or "\0" in path:
        return AskedRow(number, path or "", problem="the row names neither an image nor an item")
    try:
        region = parse_region(roi) if roi else None
    except ValueError as error:
        return AskedRow(number, path, problem=str(error))
    absolute = os.path.normpath(os.path.join(folder, path))  # noqa: PTH118
    return AskedRow(number, path, absolute, region=region, group=group)


def _texts(cells: Cells, name: str) -> list[str | None]:
    if name not in cells.columns:
        return [None] * len(cells.places)
    return [as_text(os.fsdecode(cell) if isinstance(cell, bytes) else cell) for cell in cells.columns[name]]
