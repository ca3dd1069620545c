"""An items file, written."""

from __future__ import annotations

import csv
import io
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path

from cbir.errors import ItemsError
from cbir.items.cells import read_csv, read_parquet


def write_table(path: Path, columns: Mapping[str, Sequence[object]], *, may_replace: bool = False) -> None:
    """Write columns of equal length as CSV, whole or not at all.

    Args:
        path: ends in ``.csv``; its folder must exist.
        columns: by name, in order; None becomes an empty cell.
        may_replace: take the place of a file that is there; refused without it.

    Raises:
        ItemsError: the file is there already, has another suffix, can't be written, or a cell is no UTF-8.
    """
    if path.suffix.lower() != ".csv":
        raise ItemsError(f"{path} is written as CSV. Give it a name that ends in .csv.")
    if os.path.lexists(path) and not may_replace:
        raise ItemsError(f"{path} is there already. Name another file with --output, or delete it.")
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    try:
        content = text.getvalue().encode("utf-8")
    except UnicodeEncodeError as error:
        bad = ascii(error.object[max(error.start - 30, 0) : error.end])
        raise ItemsError(f"A file name is not UTF-8, near {bad}. Rename the file.") from None
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ItemsError(f"{path} can't be written: {error.strerror}. Choose another --output.") from error


def path_cell(image: str, folder: str) -> str:
    """A path as an items file in ``folder`` gives it: relative where the image lies below, else absolute.

    Args:
        image: absolute.
        folder: absolute.
    """
    relative = os.path.relpath(image, folder)
    return image if relative == os.pardir or relative.startswith(os.pardir + os.sep) else relative


def copy_with(source: str, target: Path, columns: Mapping[str, Sequence[object]]) -> None:
    """Write an items file again with more columns; all else stays as it is, to the letter.

    Paths are written so that they name the same files from the target's folder.

    Args:
        source: an items file; its suffix says whether it is Parquet.
        target: as in ``write_table``.
        columns: the new ones, a value a row of the source.

    Raises:
        ItemsError: the source has such a column already, or as ``write_table``.
    """
    source = os.path.abspath(source)  # noqa: PTH100 - resolve() would follow links
    cells = read_parquet(source) if source.lower().endswith(".parquet") else read_csv(source)
    there = [name for name in columns if name in cells.columns]
    if there:
        raise ItemsError(f"{source} has a column {there[0]!r} already. Name another with --column.")
    old = {name: [_plain(cell) for cell in column] for name, column in cells.columns.items()}
    folder, new_folder = os.path.dirname(source), os.path.dirname(os.path.abspath(target))  # noqa: PTH100, PTH120
    if folder != new_folder:
        paths = (os.path.normpath(os.path.join(folder, str(cell))) for cell in old["path"])  # noqa: PTH118
        old["path"] = [path_cell(path, new_folder) for path in paths]
    write_table(target, old | {name: list(column) for name, column in columns.items()})


def _plain(cell: object) -> object:
    if isinstance(cell, bytes):
        return os.fsdecode(cell)
    return None if cell != cell else cell  # noqa: PLR0124 - NaN
