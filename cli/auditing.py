"""Read and decode what an audit compares; decoding in killable processes, as for an index."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from cbir.errors import ImageError
from cbir.images.files import read_file
from cbir.images.pool import DecodePool
from cbir.images.settings import ReadSpec
from cbir.items.audit import Audited
from cbir.items.found import Found
from cbir.items.phash import turned_hashes
from cli.settings import Settings


@dataclass(frozen=True, slots=True)
class Looked:
    """What an audit knows of an items file.

    Args:
        items: those in a split.
        n_outside: images without a split.
        unread: how many files could not be looked at, by reason.
        n_flat: images without structure, which look like nothing.
        stated: the hashes of the split that the file itself gives.
    """

    items: tuple[Audited, ...]
    n_outside: int
    unread: Counter[str]
    n_flat: int
    stated: frozenset[str]


def look_at(rows: Sequence[Found], column: str, settings: Settings) -> Looked:
    """Hash every file and its picture; a file that can't be read still counts with its group.

    Args:
        rows: of an items file.
        column: in their metadata; says the split.
        settings: workers and limits.
    """
    inside = [row for row in rows if row.metadata[column] is not None]
    unread: Counter[str] = Counter()
    n_workers = settings.workers or os.cpu_count() or 1
    with (
        DecodePool(ReadSpec(), [], limits=settings.limits, n_workers=n_workers) as pool,
        ThreadPoolExecutor(n_workers) as threads,
    ):
        looks = list(threads.map(lambda row: _look(row.path, pool, settings), inside))
    items = []
    n_flat = 0
    for row, (sha256, hashes, reason) in zip(inside, looks, strict=True):
        phash = hashes[0] if hashes else None
        items.append(Audited(row.path, str(row.metadata[column]), row.group, sha256, phash, hashes))
        unread.update([reason] if reason else [])
        n_flat += phash is None and reason is None
    stated = frozenset(
        str(row.metadata[f"{column}_hash"]) for row in inside if f"{column}_hash" in row.metadata
    )
    return Looked(tuple(items), len(rows) - len(inside), unread, n_flat, stated)


def _look(
    path: str, pool: DecodePool, settings: Settings
) -> tuple[str | None, tuple[bytes, ...], str | None]:
    """The sha256, the perceptual hashes, and why one of them could not be had."""
    import cv2
    import numpy as np

    sha256 = None
    try:
        file = read_file(path, settings.limits)
        sha256 = file.sha256
        thumbnail = pool.decode(file.data)[0].thumbnail
    except ImageError as error:
        return sha256, (), str(error.reason)
    pixels = cv2.imdecode(np.frombuffer(thumbnail, dtype=np.uint8), cv2.IMREAD_GRAYSCALE)
    return sha256, turned_hashes(np.asarray(pixels, dtype=np.uint8)), None
