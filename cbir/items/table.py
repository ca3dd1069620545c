"""An items file: CSV or Parquet with a column ``path``."""

from __future__ import annotations

import functools
import math
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbir.errors import ItemsError
from cbir.items.cells import Cells, read_csv, read_parquet
from cbir.items.columns import typed_column
from cbir.items.found import Found, is_remote

if TYPE_CHECKING:
    from cbir.types import Scalar

_DEFAULT_LABEL = ("label",)
_DEFAULT_GROUP = ("group", "patient_id")


@dataclass(frozen=True, slots=True)
class Table:
    """An items file as read.

    Args:
        path: of the file itself, absolute.
        rows: what it says of each image, in its order; the images may be there or not.
    """

    path: str
    rows: tuple[Found, ...]


def read_table(
    path: str,
    *,
    label_column: str | None = None,
    group_column: str | None = None,
    path_column: str = "path",
) -> Table:
    """Read an items file.

    Paths are relative to the file's own folder; the URL of an instance of a PACS stays as it is. The label
    is in ``label``, the group in ``group``, else in ``patient_id``, unless named otherwise; both become text;
    the image is in ``path_column``. Every other column is metadata.

    Raises:
        ItemsError: the file can't be read, has no column ``path_column`` or none of a name given, or names a
            path twice.
    """
    path = os.path.abspath(path)  # noqa: PTH100 - resolve() would follow links
    cells = read_parquet(path) if path.lower().endswith(".parquet") else read_csv(path)
    if path_column not in cells.columns:
        advice = "Rename one to 'path'." if path_column == "path" else "Correct --path."
        raise ItemsError(f"{path} has no column {path_column!r}; its columns are {_listed(cells)}. {advice}")
    label = _column(path, cells, label_column, _DEFAULT_LABEL, option="label", taken=path_column)
    group = _column(path, cells, group_column, _DEFAULT_GROUP, option="group", taken=path_column)
    paths = _absolute_paths(path, cells, path_column)
    labels = _texts(cells.columns[label]) if label else [None] * len(paths)
    groups = _texts(cells.columns[group]) if group else [None] * len(paths)
    others = {
        name: column for name, column in cells.columns.items() if name not in (path_column, label, group)
    }
    typed = {name: _typed(column, is_text=cells.is_text) for name, column in others.items()}
    rows = tuple(
        Found(each, labels[i], groups[i], {name: column[i] for name, column in typed.items()})
        for i, each in enumerate(paths)
    )
    return Table(path, rows)


def real_path(path: str) -> str:
    """Resolve the links in a path's folder, not the file itself: equal for the same directory entry."""
    if is_remote(path):
        return path
    folder, name = os.path.split(path)
    return os.path.join(_real_folder(folder), name)  # noqa: PTH118 - names need not be UTF-8, and stay text


@functools.lru_cache(maxsize=4096)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


def _column(
    path: str, cells: Cells, asked: str | None, defaults: tuple[str, ...], *, option: str, taken: str
) -> str | None:
    if asked is None:
        return next((name for name in defaults if name in cells.columns and name != taken), None)
    if asked not in cells.columns:
        raise ItemsError(
            f"{path} has no column {asked!r}; its columns are {_listed(cells)}. Correct --{option}."
        )
    if asked == taken:
        raise ItemsError(f"{path}: the column {taken!r} can't be the {option} too. Correct --{option}.")
    return asked


def _absolute_paths(path: str, cells: Cells, path_column: str) -> list[str]:
    folder = os.path.dirname(path)  # noqa: PTH120
    first_seen: dict[str, str] = {}
    paths = []
    for where, cell in zip(cells.places, cells.columns[path_column], strict=True):
        text = os.fsdecode(cell) if isinstance(cell, bytes) else cell
        if not isinstance(text, str) or not text or "\0" in text:
            raise ItemsError(f"{path}, {where}: the path is {cell!r}. Name a file there, or delete the row.")
        each = text if is_remote(text) else os.path.normpath(os.path.join(folder, text))  # noqa: PTH118
        earlier = first_seen.setdefault(real_path(each), where)
        if earlier is not where:
            raise ItemsError(f"{path}, {where}: {text} is in {earlier} already. Keep one row an image.")
        paths.append(each)
    return paths


def _texts(column: list[object]) -> list[str | None]:
    return [as_text(cell) for cell in column]


def as_text(cell: object) -> str | None:
    """A cell as text: 4.0 is 4; None where it is empty or NaN."""
    if cell is None or cell != cell:  # noqa: PLR0124 - NaN
        return None
    if isinstance(cell, float) and cell.is_integer():  # 3 became 3.0 because another row is empty
        return str(int(cell))
    return str(cell).strip() or None


def _typed(column: list[object], *, is_text: bool) -> list[Scalar]:
    if is_text:
        return typed_column([str(cell) for cell in column])
    return [_value(cell) for cell in column]


def _value(cell: object) -> Scalar:
    """A Parquet cell: numbers as they are, NaN and infinity none, dates and lists as text."""
    if isinstance(cell, float):
        return cell if math.isfinite(cell) else None
    return cell if isinstance(cell, bool | int) else as_text(cell)


def _listed(cells: Cells) -> str:
    return ", ".join(cells.columns) or "none"
