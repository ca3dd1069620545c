"""Many files to prepared frames: read, decoded side by side, each accounted for."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from cbir.ahead import ahead
from cbir.errors import ImageError, SkipReason
from cbir.images.files import read_file
from cbir.images.pool import DecodedFrame, DecodePool
from cbir.images.settings import DecodeLimits, ReadPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbir.images.settings import ReadSpec
    from cbir.images.steps import Step
    from cbir.images.tiles import TileGrid


@dataclass(frozen=True, slots=True)
class Decoding:
    """How files are decoded; nothing of it decides a number.

    Args:
        limits: what one file may cost.
        policy: which files are admitted.
        n_workers: processes; None for one a core.
    """

    limits: DecodeLimits = field(default_factory=DecodeLimits)
    policy: ReadPolicy = field(default_factory=ReadPolicy)
    n_workers: int | None = None

    @property
    def processes(self) -> int:
        """How many decode."""
        return self.n_workers or os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that did not become pixels, or that a network said nothing usable of; and why.

    Args:
        path: as it was given.
        reason: as in an index's account.
        detail: one line.
    """

    path: str
    reason: SkipReason
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class DecodedFile:
    """A file's frames.

    Args:
        row: its place among the paths.
        path: as it was given.
        sha256: of the file.
        frames: at least one.
    """

    row: int
    path: str
    sha256: str
    frames: tuple[DecodedFrame, ...]


def decode_files(
    paths: Sequence[str],
    read: ReadSpec,
    plans: Sequence[Sequence[Step]],
    decoding: Decoding,
    *,
    tiles: TileGrid | None = None,
) -> Iterator[DecodedFile | Unread]:
    """Read and decode files in worker processes; one answer a file, in the order of the paths.

    Args:
        paths: absolute.
        read: which frames, which VOI.
        plans: what is done to each frame.
        decoding: how.
        tiles: the plans are carried out on each of these; None for the image as a whole.

    Raises:
        CbirError: workers can't be started at all.
    """
    n_workers = decoding.processes
    pool = DecodePool(
        read, plans, tiles=tiles, policy=decoding.policy, limits=decoding.limits, n_workers=n_workers
    )
    # Leaving by an error closes the pool first: that frees the threads which wait for a worker.
    with ThreadPoolExecutor(n_workers) as threads, pool:
        decode = partial(_decode, pool, decoding.limits)
        yield from ahead(threads, decode, enumerate(paths), 4 * n_workers, lambda each: _size(each[1]))


def _decode(pool: DecodePool, limits: DecodeLimits, numbered: tuple[int, str]) -> DecodedFile | Unread:
    row, path = numbered
    try:
        file = read_file(path, limits)
        return DecodedFile(row, path, file.sha256, tuple(pool.decode(file.data)))
    except ImageError as error:
        return Unread(path, error.reason, error.detail)


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0
