"""An export as a NumPy matrix, an items file with a row an embedding, and what it is of as JSON."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import ItemsError
from indexer.embeddings import FLOAT
from indexer.exporting.chunks import chunks, vectors
from indexer.storage.durable import write_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from indexer.exporting.survey import Survey
    from indexer.listing import Listed
    from indexer.storage.opened import Opened


def files_of(target: Path) -> tuple[Path, Path, Path]:
    """What is written, the matrix last."""
    return target.with_suffix(".json"), target.with_suffix(".csv"), target


def write(target: Path, opened: Opened, found: Survey, said: Mapping[str, str]) -> int:
    """Write the three files; their size in bytes."""
    if found.odd_path is not None:
        raise ItemsError(f"The path {found.odd_path!a} is not UTF-8, which CSV can't hold. Use .parquet.")
    page, items, _ = files_of(target)
    plain = {key.removeprefix("cbir."): value for key, value in said.items()}
    document = {
        **plain,
        "spec": json.loads(plain["spec"]),
        "n_rows": found.n_rows,
        "dim": opened.embeddings.dim,
    }
    try:
        seals = [
            write_file(page, [json.dumps(document, indent=1).encode("ascii") + b"\n"]),
            write_file(items, _lines(opened, found)),
            write_file(target, _matrix(opened, found)),
        ]
    except BaseException:
        for written in (page, items):
            written.unlink(missing_ok=True)
        raise
    return sum(seal.size for seal in seals)


def _matrix(opened: Opened, found: Survey) -> Iterator[bytes]:
    header = io.BytesIO()
    shape = (found.n_rows, opened.embeddings.dim)
    described = {"descr": FLOAT.str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, described)
    yield header.getvalue()
    for chunk in chunks(opened):
        yield vectors(chunk, opened).astype(FLOAT, copy=False).tobytes()


def _lines(opened: Opened, found: Survey) -> Iterator[bytes]:
    """The items file; ``frame``, ``part`` and ``box`` are columns where they say anything."""
    columns = found.columns()
    header = ["path", *["frame"] * found.has_frames, *["part", "box"] * found.in_parts, "label", "group"]
    yield _csv([[*header, *columns.values()]])
    for chunk in chunks(opened):
        yield _csv([_cells(listed, part, found) for listed, part in chunk])


def _cells(listed: Listed, part: int, found: Survey) -> list[object]:
    item, box = listed.item, listed.boxes[part]
    where = [part, None if box is None else ",".join(map(str, box))] * found.in_parts
    known = [found.cell(item, name) for name in found.columns()]
    return [item.path, *[item.frame] * found.has_frames, *where, item.label, item.group, *known]


def _csv(rows: list[list[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8")
