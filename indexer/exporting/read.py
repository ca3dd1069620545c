"""Reading an export back, file by file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from cbir.errors import ItemsError, VectorError
from indexer.exporting.export import FORMAT, TENANT_COLUMN
from indexer.exporting.parquet import METADATA
from indexer.exporting.survey import EMBEDDING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from cbir.images.tiles import Box
    from cbir.types import Scalar

_NEEDED = ("path", "frame", "label", "group", "sha256", "pixels_sha256", EMBEDDING)
_BATCH = 4096


@dataclass(slots=True)
class ExportedImage:
    """A frame of a file, with the embeddings of its parts."""

    frame: int
    pixels_sha256: str
    metadata: dict[str, Scalar]
    vectors: list[NDArray[np.float32]] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """All that an export has of one path."""

    path: str
    sha256: str
    label: str | None
    group: str | None
    images: tuple[ExportedImage, ...]


@dataclass(frozen=True, slots=True)
class ExportFile:
    """An export, not read yet.

    Args:
        path: of the Parquet file.
        name: of the extractor.
        fingerprint: of the extractor.
        dim: of the embeddings.
        n_rows: one a part of an item.
        columns: the metadata columns, and what they were called in the index.
        tenant_column: what kept the tenants of the index apart; None for one without.
    """

    path: Path
    name: str
    fingerprint: str
    dim: int
    n_rows: int
    columns: dict[str, str]
    tenant_column: str | None

    def files(self) -> Iterator[ExportedFile]:
        """Every path with its frames and parts.

        Raises:
            ItemsError: the rows are not in the order of paths, frames and parts.
            VectorError: the file is damaged.
        """
        last: bytes | None = None
        for path, rows in groupby(self._rows(), key=lambda row: _bytes(row["path"])):
            if last is not None and path <= last:
                raise ItemsError(
                    f"{self.path} is not in the order of its paths any more. Sort it by path, frame, part."
                )
            last = path
            yield self._file(os.fsdecode(path), list(rows))

    def _rows(self) -> Iterator[dict[str, Any]]:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile

        try:
            with ParquetFile(self.path) as file:
                for batch in file.iter_batches(_BATCH):
                    vectors = np.asarray(batch.column(EMBEDDING).flatten(), dtype=np.float32)
                    vectors = vectors.reshape(-1, self.dim)
                    rows = batch.drop_columns([EMBEDDING]).to_pylist()
                    yield from (row | {EMBEDDING: vector} for row, vector in zip(rows, vectors, strict=True))
        except (ArrowException, OSError, ValueError) as error:
            raise _unreadable(self.path, error) from error

    def _file(self, path: str, rows: list[dict[str, Any]]) -> ExportedFile:
        first = rows[0]
        images: list[ExportedImage] = []
        for row in rows:
            if not images or images[-1].frame != row["frame"]:
                known = {
                    name: row[column] for column, name in self.columns.items() if row[column] is not None
                }
                images.append(ExportedImage(row["frame"], row["pixels_sha256"], known))
            if row.get("part", 0) != len(images[-1].vectors):
                raise ItemsError(
                    f"{self.path} has not all parts of {path!r}, in their order. Export it again."
                )
            images[-1].vectors.append(row[EMBEDDING])
            if row.get("box") is not None:
                images[-1].boxes.append(tuple(row["box"]))
        return ExportedFile(path, first["sha256"], first["label"], first["group"], tuple(images))


def open_export(path: Path) -> ExportFile | None:
    """Look at a Parquet file; None when it is no export of an index.

    Raises:
        VectorError: it can't be read, or is of a newer kind of export.
    """
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    if path.suffix.lower() != ".parquet" or not path.is_file():
        return None
    try:
        with ParquetFile(path) as file:
            schema, n_rows = file.schema_arrow, file.metadata.num_rows
        said = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
        if "cbir.export" not in said:
            return None
        if int(said["cbir.export"]) > FORMAT:
            raise VectorError(
                f"{path} is an export of kind {said['cbir.export']}, this cbir reads {FORMAT}. Update cbir."
            )
        if missing := [name for name in _NEEDED if name not in schema.names]:
            raise VectorError(f"{path} has no column {missing[0]!r} any more. Export it again.")
        spec, columns = json.loads(said["cbir.spec"]), json.loads(said[METADATA])
        dim = schema.field(EMBEDDING).type.list_size
        tenants = said.get(TENANT_COLUMN)
        return ExportFile(path, spec["name"], said["cbir.fingerprint"], dim, n_rows, columns, tenants)
    except (ArrowException, OSError, ValueError, KeyError, AttributeError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> VectorError:
    why = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    return VectorError(f"{path} can't be read as an export: {why}. Export it again.")


def _bytes(path: str | bytes) -> bytes:
    return path if isinstance(path, bytes) else os.fsencode(path)
