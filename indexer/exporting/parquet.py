"""An export as Parquet; its schema says the fingerprint and the spec."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from indexer.exporting.chunks import chunks, vectors
from indexer.exporting.survey import CONTENT, EMBEDDING, ITEM, PART
from indexer.storage.durable import DurableFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pyarrow as pa

    from indexer.exporting.survey import Survey
    from indexer.listing import Listed
    from indexer.storage.opened import Opened

METADATA = "cbir.metadata"
"""Key of the schema: JSON, the metadata columns by the names they have in the file."""


def write(target: Path, opened: Opened, found: Survey, said: Mapping[str, str]) -> int:
    """Write every row, a chunk a row group; the file's size in bytes."""
    import pyarrow as pa
    from pyarrow import parquet

    columns = found.columns()
    schema = _schema(found, columns, opened.embeddings.dim)
    names = json.dumps({column: name for name, column in columns.items()})
    schema = schema.with_metadata({**said, METADATA: names})
    with DurableFile(target) as file:
        sink = pa.PythonFile(_Sink(file), mode="w")
        with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
            for chunk in chunks(opened):
                cells = _cells(chunk, schema, found)
                embeddings = pa.array(vectors(chunk, opened).ravel(), pa.float32())
                cells.append(pa.FixedSizeListArray.from_arrays(embeddings, opened.embeddings.dim))
                writer.write_table(pa.Table.from_arrays(cells, schema=schema))
        return file.seal().size


class _Sink:
    """As much of a file as Arrow asks for."""

    def __init__(self, file: DurableFile) -> None:
        self._file = file
        self.closed = False

    def write(self, data: bytes) -> int:
        """Append."""
        self._file.write(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back here."""

    def close(self) -> None:
        """Who made the file seals it."""
        self.closed = True


def _schema(found: Survey, columns: Mapping[str, str], dim: int) -> pa.Schema:
    import pyarrow as pa

    kinds = {"flag": pa.bool_(), "whole": pa.int64(), "number": pa.float64(), "text": pa.string()}
    path = pa.string() if found.odd_path is None else pa.binary()
    fields = list(zip(ITEM, (pa.string(), path, pa.int32(), pa.string(), pa.string()), strict=True))
    if found.in_parts:
        fields += zip(PART, (pa.int32(), pa.list_(pa.int32(), 4)), strict=True)
    fields += [(column, kinds[found.kinds[name]]) for name, column in columns.items()]
    fields += [(name, pa.string()) for name in CONTENT]
    return pa.schema([*fields, (EMBEDDING, pa.list_(pa.float32(), dim))])


def _cells(chunk: list[tuple[Listed, int]], schema: pa.Schema, found: Survey) -> list[pa.Array]:
    """The columns before the last, which is the embedding's."""
    import pyarrow as pa

    cells: dict[str, list[object]] = {
        "id": [listed.item.id for listed, _ in chunk],
        "path": [_path(listed.item.path, as_bytes=found.odd_path is not None) for listed, _ in chunk],
        "frame": [listed.item.frame for listed, _ in chunk],
        "label": [listed.item.label for listed, _ in chunk],
        "group": [listed.item.group for listed, _ in chunk],
        "part": [part for _, part in chunk],
        "box": [listed.boxes[part] for listed, part in chunk],
        "sha256": [listed.sha256 for listed, _ in chunk],
        "pixels_sha256": [listed.pixels_sha256 for listed, _ in chunk],
    }
    for name, column in found.columns().items():
        cells[column] = [found.cell(listed.item, name) for listed, _ in chunk]
    return [pa.array(cells[field.name], field.type) for field in schema if field.name != EMBEDDING]


def _path(path: str, *, as_bytes: bool) -> str | bytes:
    return os.fsencode(path) if as_bytes else path
