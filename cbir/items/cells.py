"""The columns of a CSV or Parquet file or a sheet, before anything is made of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cbir.errors import ItemsError
from cbir.items.workbook import read_workbook

_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class Cells:
    """Columns of equal length.

    Args:
        columns: by name, in the file's order; a CSV's cells are all text, a Parquet's what they are.
        places: where each row is, for messages: ``line 7``.
        is_text: whether types are still to be inferred.
    """

    columns: dict[str, list[object]]
    places: list[str]
    is_text: bool


def read_csv(path: str) -> Cells:
    """Read CSV: UTF-8 with or without a mark; comma, semicolon or tab, whichever the header has most of.

    Raises:
        ItemsError: not that, no rows, a row longer or shorter than the header, or a column named twice.
    """
    text = _utf8(path, _read_bytes(path))
    header_line = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=header_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    places: list[str] = []
    try:
        for row in reader:
            if row:
                rows.append(row)
                places.append(f"line {reader.line_num}")
    except csv.Error as error:
        raise ItemsError(f"{path}, line {reader.line_num}: {error}. Write it as plain CSV.") from error
    if not rows:
        raise ItemsError(f"{path} is empty. It needs a header with a column 'path', and a row an image.")
    return _columns(path, rows, places)


def read_sheet(path: str, needed: Sequence[str], *, sheet: str | None = None) -> Cells:
    """Read a sheet of a workbook, from the row that names its columns on.

    Args:
        path: of a .xlsx, .xls or .ods file.
        needed: the first row that holds all of these names them; without such a row the first that is not
            empty does.
        sheet: as for ``read_workbook``.

    Raises:
        ItemsError: as ``read_workbook``; no rows; or a column named twice.
    """
    rows = read_workbook(path, sheet)
    filled = [(row, f"row {i + 1}") for i, row in enumerate(rows) if any(cell.strip() for cell in row)]
    if not filled:
        raise ItemsError(f"{path} has an empty sheet. It needs a row that names its columns.")
    starts = (i for i, (row, _) in enumerate(filled) if {cell.strip() for cell in row}.issuperset(needed))
    start = next(starts, 0)
    return _columns(path, [row for row, _ in filled[start:]], [where for _, where in filled[start:]])


def read_parquet(path: str) -> Cells:
    """Read Parquet.

    Raises:
        ItemsError: not a Parquet file, no rows, or a column named twice.
    """
    import pyarrow as pa
    from pyarrow import parquet

    content = _read_bytes(path)
    try:
        table = parquet.read_table(pa.BufferReader(content))
        columns = [column.to_pylist() for column in table.columns]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ItemsError(f"{path} can't be read as Parquet. Write it again, or as CSV.") from error
    names = _names(path, table.column_names)
    if not table.num_rows:
        raise ItemsError(f"{path} has no rows. It needs a row an image.")
    return Cells(
        dict(zip(names, columns, strict=True)), [f"row {i + 1}" for i in range(table.num_rows)], is_text=False
    )


def _read_bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ItemsError(
            f"{path} can't be read: {error.strerror}. Correct the path or its rights."
        ) from error


def _utf8(path: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ItemsError(f"{path}, line {line}: not UTF-8. Save the file as UTF-8.") from error


def _columns(path: str, rows: list[list[str]], places: list[str]) -> Cells:
    names = _names(path, rows[0])
    if len(rows) == 1:
        raise ItemsError(f"{path} has a header but no rows. It needs a row an image.")
    for row, where in zip(rows[1:], places[1:], strict=True):
        if len(row) != len(names):
            raise ItemsError(
                f"{path}, {where}: {len(row)} fields, the header has {len(names)}. Correct the line."
            )
    columns: dict[str, list[object]] = {name: [row[i] for row in rows[1:]] for i, name in enumerate(names)}
    return Cells(columns, places[1:], is_text=True)


def _names(path: str, header: list[str]) -> list[str]:
    """Strip the names; a column without one (pandas writes such) is called by its place."""
    names = [name.strip() or f"column_{i + 1}" for i, name in enumerate(header)]
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise ItemsError(f"{path} has two columns {twice!r}. Rename one.")
    return names
