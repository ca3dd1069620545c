"""A row on its way from a file of embeddings into an index: as it was given, looked at and pictured."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import ImageError, SkipReason
from cbir.images.files import read_file
from indexer.storage.records import FileRecord

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.images.files import FileBytes
    from cbir.images.pool import DecodePool
    from cbir.images.settings import DecodeLimits
    from cbir.items.found import Found
    from indexer.importing.embedding_file import Row
    from indexer.ingesting.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True)
class Given:
    """A row of the items file, and the embedding beside it."""

    found: Found
    row: Row


@dataclass(frozen=True, slots=True)
class Seen:
    """Looked at.

    Args:
        vector: (dim,) float32 of unit length; or why there is none.
        record: of the image file where it is there, else of the path and the row.
        data: the file's bytes while a picture of it is wanted, else empty.
        note: what was found of the image, to be counted.
    """

    found: Found
    vector: NDArray[np.float32] | str
    record: FileRecord
    data: bytes = b""
    note: str = ""
    thumbnail: bytes = b""
    pixels_sha256: str | None = None


def look(given: Given, *, folder: str, limits: DecodeLimits, keep: bool, watch: Stopwatch) -> Seen:
    """Check the embedding, and read the image for its checksum where it is there; any thread may.

    Args:
        given: what the two files say.
        folder: of the items file.
        limits: what reading may cost.
        keep: hold the bytes for ``picture``.
        watch: reading is its stage ``read``.
    """
    found, row = given.found, given.row
    vector = row if isinstance(row, str) else unit_vector(row)
    with watch.stage("read"):
        file = _read(found.path, limits)
    if isinstance(file, SkipReason):
        record = FileRecord(found.path, 0, 0, _made_sha256(given, folder), "indexed")
        return Seen(found, vector, record, note=f"known by path and embedding, image {file}")
    record = FileRecord(file.path, file.size, file.mtime_ns, file.sha256, "indexed")
    return Seen(found, vector, record, data=file.data if keep else b"")


def picture(seen: Seen, *, pool: DecodePool, watch: Stopwatch) -> Seen:
    """Make the thumbnail, and let go of the bytes; any thread may."""
    if not seen.data or isinstance(seen.vector, str):
        return replace(seen, data=b"")
    try:
        with watch.stage("decode"):
            frame = pool.decode(seen.data)[0]
    except ImageError as error:
        return replace(seen, data=b"", note=f"no thumbnail: {error.reason}")
    return replace(seen, data=b"", thumbnail=frame.thumbnail, pixels_sha256=frame.pixels_sha256)


def unit_vector(row: NDArray[np.floating]) -> NDArray[np.float32] | str:
    """Bring a row to unit length; text, the reason, when it is not finite or zero.

    Args:
        row: (dim,), dim >= 1, floats of any length that their type can hold.
    """
    wide = row.astype(np.float64)
    largest = float(np.abs(wide).max())
    if not np.isfinite(largest):
        return "the embedding holds values that are not finite"
    if largest == 0:
        return "the embedding is zero"
    wide /= largest  # squares of float64 leave its range from 1e154 on
    unit: NDArray[np.float32] = (wide / np.linalg.norm(wide)).astype(np.float32)
    return unit


def bytes_on_disk(given: Given) -> int:
    """What reading its image will hold in memory."""
    try:
        return os.lstat(given.found.path).st_size
    except OSError:
        return 0


def bytes_held(seen: Seen) -> int:
    """What it holds in memory until its picture is made."""
    return len(seen.data)


def _read(path: str, limits: DecodeLimits) -> FileBytes | SkipReason:
    try:
        file = read_file(path, limits)
    except ImageError as error:
        return error.reason
    # All empty files would be copies of one image.
    return file if file.size else SkipReason.NOT_AN_IMAGE


def _made_sha256(given: Given, folder: str) -> str:
    """For a row without an image: of its path, as seen from the items file, and its embedding as stored."""
    row = given.row.encode() if isinstance(given.row, str) else given.row.tobytes()
    path = os.fsencode(os.path.relpath(given.found.path, folder))
    return hashlib.sha256(path + b"\0" + row).hexdigest()
