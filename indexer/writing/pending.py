"""The rows of a writer: published, and not yet."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from indexer.embeddings import Embeddings
from indexer.storage.blocks import NewBlock, n_to_merge, rows_per_block, write_block, write_rows

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from indexer.manifest import BlockRef, Manifest
    from indexer.storage.durable import Seal

FLUSH_BYTES = 64 << 20
"""Rows wait in memory for the next commit up to this; then they go to the disk, unpublished."""


class Pending:
    """Numbers new rows, writes them in blocks, and keeps the blocks few."""

    def __init__(self, directory: Path, manifest: Manifest) -> None:
        self._directory = directory
        self._dim = manifest.dim
        self._blocks: list[BlockRef] = list(manifest.blocks)
        self._next_block = manifest.next_block
        self._files: dict[str, Seal] = dict(manifest.files)
        self._n_rows = manifest.n_rows
        self._vectors: list[NDArray[np.float32]] = []
        self._thumbnails: list[bytes] = []
        self._waiting_bytes = 0

    @property
    def n_rows(self) -> int:
        """All rows, those in memory too."""
        return self._n_rows + len(self._vectors)

    @property
    def files(self) -> dict[str, Seal]:
        """The seals of every block, new ones too (and of files that a manifest named before)."""
        return self._files

    def add_image(self, vectors: NDArray[np.float32], thumbnail: bytes) -> list[int]:
        """Take the parts of an image, (n_parts, dim), as rows in a row; the first has the thumbnail."""
        return [self._add(vector, b"" if part else thumbnail) for part, vector in enumerate(vectors)]

    def flush(self) -> None:
        """Write what waits in memory as a block."""
        if not self._vectors:
            return
        number = self._next_block
        self._take(write_block(self._directory, number, self._n_rows, self._vectors, self._thumbnails))
        self._vectors, self._thumbnails, self._waiting_bytes = [], [], 0

    def merge(self) -> None:
        """Make one of the newest blocks when there are too many."""
        count = n_to_merge(self._blocks, self._dim)
        if not count:
            return
        embeddings = self.embeddings()
        kept = self._blocks[:-count]
        first_row = self._blocks[-count].first_row
        rows = np.arange(first_row, self._n_rows)
        merged = write_rows(self._directory, self._next_block, first_row, embeddings, rows)
        self._blocks, self._n_rows = kept, first_row
        self._take(merged)

    def rewrite(self, rows: NDArray[np.int64]) -> None:
        """Keep these rows only, in this order, in as few blocks as can be."""
        embeddings = self.embeddings()
        self._blocks, self._n_rows = [], 0
        size = rows_per_block(self._dim)
        for start in range(0, len(rows), size):
            chosen = rows[start : start + size]
            self._take(write_rows(self._directory, self._next_block, start, embeddings, chosen))

    def embeddings(self) -> Embeddings:
        """The rows that are on the disk."""
        return Embeddings(self._directory, self._blocks, self._files, self._dim)

    def described(self, manifest: Manifest) -> Manifest:
        """The manifest with the blocks as they are now."""
        return replace(manifest, blocks=tuple(self._blocks), n_rows=self._n_rows, next_block=self._next_block)

    def _add(self, vector: NDArray[np.float32], thumbnail: bytes) -> int:
        row = self.n_rows
        self._vectors.append(vector)
        self._thumbnails.append(thumbnail)
        self._waiting_bytes += vector.nbytes + len(thumbnail)
        if self._waiting_bytes >= FLUSH_BYTES:
            self.flush()
        return row

    def _take(self, block: NewBlock) -> None:
        self._blocks.append(block.ref)
        self._files.update(block.files)
        self._n_rows += block.ref.n_rows
        self._next_block += 1
