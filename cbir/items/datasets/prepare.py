"""A release made into an items file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cbir.errors import ItemsError
from cbir.items.datasets.files import Files
from cbir.items.datasets.masks import LookAt, with_boxes
from cbir.items.datasets.release import Dataset, Release, Row
from cbir.items.write import path_cell, write_table
from cbir.types import Scalar

_NO_COLUMNS = ("path", "masks", "more")


def prepare(dataset: Dataset, folder: Path, output: Path, *, look_at: LookAt | None = None) -> Release:
    """Write what a folder holds of a data set as an items file; columns without a value are left out.

    Args:
        dataset: one of ``DATASETS``.
        folder: the release, as it was unpacked.
        output: the CSV file to write.
        look_at: looks at masks, where the release has them; None leaves their lesions without boxes.

    Raises:
        ItemsError: the folder has none of it, or a table of the release can't be read; or as ``write_table``.
    """
    if not folder.is_dir():
        raise ItemsError(f"{folder} is no folder. Give the one that holds {dataset.title}.")
    if os.path.lexists(output):  # before thousands of masks are looked at
        raise ItemsError(f"{output} is there already. Name another file with --output, or delete it.")
    files = Files.below(os.path.abspath(folder))  # noqa: PTH100 - resolve() would follow links
    release = dataset.read(files)
    if not release.rows:
        raise ItemsError(
            f"{folder} has no image of {dataset.title}. Give the folder it was unpacked to; it comes from "
            f"{dataset.home}."
        )
    release = with_boxes(release, look_at)
    beside = os.path.dirname(os.path.abspath(output))  # noqa: PTH100, PTH120
    columns = _columns(release.rows, beside)
    write_table(output, {name: cells for name, cells in columns.items() if any(c is not None for c in cells)})
    if files.n_refused:
        note = f"{files.n_refused} symbolic links and the like were passed over"
        return replace(release, notes=(*release.notes, note))
    return release


def _columns(rows: Sequence[Row], folder: str) -> dict[str, list[Scalar]]:
    names = [name for name in Row.__dataclass_fields__ if name not in _NO_COLUMNS]
    columns: dict[str, list[Scalar]] = {"path": [path_cell(row.path, folder) for row in rows]}
    columns |= {name: [getattr(row, name) for row in rows] for name in names}
    further = dict.fromkeys(name for row in rows for name in row.more)
    return columns | {name: [row.more.get(name) for row in rows] for name in further}
