"""The embeddings of an index, read where they lie on the disk, and the thumbnails beside them.

A block is two files: ``<name>.f32``, little-endian float32 rows; and ``<name>.thumbs``, n + 1 little-endian
uint64 offsets from the start of the file, then the encoded pictures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import IndexDamagedError
from indexer.storage.sealed import SealedFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from indexer.manifest import BlockRef
    from indexer.storage.durable import Seal

OFFSET = np.dtype("<u8")
FLOAT = np.dtype("<f4")


def vectors_name(block: str) -> str:
    """Path of a block's embeddings, relative to the index."""
    return f"embeddings/{block}.f32"


def thumbnails_name(block: str) -> str:
    """Path of a block's thumbnails, relative to the index."""
    return f"embeddings/{block}.thumbs"


class Embeddings:
    """All rows of an index, block by block; each block is checked before its first use."""

    def __init__(
        self, directory: Path, blocks: Sequence[BlockRef], files: Mapping[str, Seal], dim: int
    ) -> None:
        """Map every block.

        Raises:
            FileNotFoundError: a block is not there.
            IndexDamagedError: a block has the wrong size.
        """
        self._dim = dim
        self._blocks = tuple(blocks)
        self._starts = np.array([block.first_row for block in blocks], dtype=np.int64)
        self._vector_files = [_open(directory, vectors_name(block.name), files) for block in blocks]
        self._thumbnail_files = [_open(directory, thumbnails_name(block.name), files) for block in blocks]
        self._views: list[NDArray[np.float32] | None] = [None] * len(blocks)
        self._n_rows = sum(block.n_rows for block in blocks)

    @property
    def n_rows(self) -> int:
        """Embeddings, those without items too."""
        return self._n_rows

    @property
    def dim(self) -> int:
        """Of each."""
        return self._dim

    def blocks(self, first_row: int = 0) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """The rows from ``first_row`` on: the first row's number and (n, dim), not to be written to."""
        for number, block in enumerate(self._blocks):
            skip = max(0, first_row - block.first_row)
            if skip < block.n_rows:
                yield block.first_row + skip, self._view(number)[skip:]

    def gather(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Copy some rows, (n, dim), in the order asked for."""
        if len(self._blocks) == 1:
            return self._view(0)[rows]
        result = np.empty((len(rows), self._dim), dtype=np.float32)
        for number, mine in self._owned(rows):
            result[mine] = self._view(number)[rows[mine] - self._starts[number]]
        return result

    def thumbnail(self, row: int) -> bytes:
        """One row's encoded picture."""
        number = int(np.searchsorted(self._starts, row, side="right")) - 1
        content = self._thumbnail_files[number].content()
        index = row - self._blocks[number].first_row
        start, end = np.frombuffer(content, OFFSET, count=2, offset=index * OFFSET.itemsize).tolist()
        return bytes(content[start:end])

    def thumbnail_sizes(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Bytes of each row's encoded picture, (n,)."""
        sizes = np.empty(len(rows), dtype=np.int64)
        for number, mine in self._owned(rows):
            content, n_rows = self._thumbnail_files[number].content(), self._blocks[number].n_rows
            offsets = np.frombuffer(content, OFFSET, count=n_rows + 1)
            sizes[mine] = np.diff(offsets)[rows[mine] - self._starts[number]]
        return sizes

    def _owned(self, rows: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.bool_]]]:
        """Each block that has some of the rows, and which of them."""
        owners = np.searchsorted(self._starts, rows, side="right") - 1
        for number in np.unique(owners).tolist():
            yield number, owners == number

    def _view(self, number: int) -> NDArray[np.float32]:
        view = self._views[number]
        if view is None:
            content = self._vector_files[number].content()
            n_rows = self._blocks[number].n_rows
            view = np.frombuffer(content, FLOAT).reshape(n_rows, self._dim)
            self._views[number] = view
        return view


def _open(directory: Path, name: str, files: Mapping[str, Seal]) -> SealedFile:
    if name not in files:
        raise IndexDamagedError(f"The manifest of {str(directory)!r} does not list {name}. Build it again.")
    return SealedFile(directory / name, files[name])
