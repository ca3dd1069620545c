"""Writing embeddings blocks, and choosing which to merge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from indexer.embeddings import FLOAT, OFFSET, Embeddings, thumbnails_name, vectors_name
from indexer.manifest import BlockRef
from indexer.storage.durable import Seal, write_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

BLOCK_BYTES = 256 << 20
"""A block's embeddings grow to this by merging."""

MAX_SMALL_BLOCKS = 64
"""More blocks than this that are less than half full call for a merge."""

_CHUNK_ROWS = 1024


@dataclass(frozen=True, slots=True)
class NewBlock:
    """A block on the disk that no manifest names yet."""

    ref: BlockRef
    files: Mapping[str, Seal]


def rows_per_block(dim: int) -> int:
    """How many rows a full block has."""
    return max(1, BLOCK_BYTES // (FLOAT.itemsize * dim))


def write_block(
    directory: Path,
    number: int,
    first_row: int,
    vectors: Sequence[NDArray[np.float32]],
    thumbnails: Sequence[bytes],
) -> NewBlock:
    """Write rows that are in memory."""
    sizes = [len(thumbnail) for thumbnail in thumbnails]
    return _write(
        directory,
        BlockRef(f"{number:06d}", first_row, len(vectors)),
        (vector.astype(FLOAT, copy=False).tobytes() for vector in vectors),
        _with_offsets(sizes, iter(thumbnails)),
    )


def write_rows(
    directory: Path, number: int, first_row: int, embeddings: Embeddings, rows: NDArray[np.int64]
) -> NewBlock:
    """Write rows of blocks that exist, in the order given; memory stays small."""
    sizes = embeddings.thumbnail_sizes(rows)
    pictured = rows[sizes > 0].tolist()
    chunks = (rows[start : start + _CHUNK_ROWS] for start in range(0, len(rows), _CHUNK_ROWS))
    return _write(
        directory,
        BlockRef(f"{number:06d}", first_row, len(rows)),
        (embeddings.gather(chunk).astype(FLOAT, copy=False).tobytes() for chunk in chunks),
        _with_offsets(sizes, (embeddings.thumbnail(row) for row in pictured)),
    )


def n_to_merge(blocks: Sequence[BlockRef], dim: int) -> int:
    """How many blocks, from the last, to make one of; 0 for none.

    The newest are merged with ever older ones while those are at most twice as large: sizes grow
    geometrically from the last block to the first, and a row is rewritten a logarithmic number of times.
    """
    full = rows_per_block(dim)
    if sum(block.n_rows * 2 < full for block in blocks) <= MAX_SMALL_BLOCKS:
        return 0
    merged = n_rows = 0
    for block in reversed(blocks):
        if merged and (block.n_rows > 2 * n_rows or n_rows + block.n_rows > full):
            break
        n_rows += block.n_rows
        merged += 1
    return merged if merged > 1 else 0


def _write(directory: Path, ref: BlockRef, vectors: Iterator[bytes], thumbnails: Iterator[bytes]) -> NewBlock:
    files = {}
    for name, chunks in ((vectors_name(ref.name), vectors), (thumbnails_name(ref.name), thumbnails)):
        files[name] = write_file(directory / name, chunks)
    return NewBlock(ref, files)


def _with_offsets(sizes: Sequence[int] | NDArray[np.int64], thumbnails: Iterator[bytes]) -> Iterator[bytes]:
    offsets = np.zeros(len(sizes) + 1, dtype=OFFSET)
    np.cumsum(sizes, out=offsets[1:])
    offsets += OFFSET.itemsize * len(offsets)
    yield offsets.tobytes()
    yield from thumbnails
