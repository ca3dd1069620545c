"""Images to the vectors that `cbir index build` would give them, in memory."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from cbir.ahead import ahead
from cbir.errors import ImageError, SkipReason, SpecError, VectorError
from cbir.extractors.tiling import join_tiles
from cbir.images.files import read_file
from cbir.images.pool import DecodedFrame, DecodePool
from cbir.images.settings import DecodeLimits, ReadPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from cbir.extractors.extractor import Extractor
    from cbir.extractors.spec import ExtractorSpec

_BATCH = 32
_MOST_TILES = 64


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
    """A file that did not become pixels, and why.

    Args:
        path: as it was given.
        reason: as in an index's account.
        detail: one line.
    """

    path: str
    reason: SkipReason
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedImages:
    """Vectors of files.

    Args:
        rows: (n,), of which of the files each is, ascending; a file that gives several frames is there as
            often.
        vectors: (n, dim), unit rows.
        contents: by row, the file's sha256.
        unread: the files that gave none.
    """

    rows: NDArray[np.intp]
    vectors: NDArray[np.float32]
    contents: dict[int, str]
    unread: tuple[Unread, ...]


@dataclass(frozen=True, slots=True)
class _Decoded:
    row: int
    sha256: str
    frames: tuple[DecodedFrame, ...]


def embed_files(
    extractor: Extractor,
    paths: Sequence[str],
    decoding: Decoding | None = None,
    *,
    on_file: Callable[[], None] = lambda: None,
) -> EmbeddedImages:
    """Read, decode, prepare and embed files, as ``cbir index build`` does.

    Args:
        extractor: whose images are one vector each: without tiles, or with their mean.
        paths: absolute.
        decoding: None for the defaults.
        on_file: called after each file, in this thread.

    Raises:
        CbirError: decoding workers can't be started at all.
        SpecError: the extractor keeps an image's tiles apart.
    """
    refuse_parts(extractor.spec)
    decoding = decoding or Decoding()
    rows: list[int] = []
    vectors: list[NDArray[np.float32]] = []
    contents: dict[int, str] = {}
    unread: list[Unread] = []
    waiting: list[_Decoded] = []

    def embed() -> None:
        for each, found in _embedded(extractor, waiting):
            if isinstance(found, VectorError):
                unread.append(Unread(paths[each.row], SkipReason.BAD_EMBEDDING, str(found)))
                continue
            rows.extend([each.row] * len(found))
            vectors.append(found)
            contents[each.row] = each.sha256
        waiting.clear()

    for outcome in _decoded(extractor.spec, paths, decoding):
        if isinstance(outcome, Unread):
            unread.append(outcome)
        else:
            waiting.append(outcome)
        if len(waiting) == _BATCH:
            embed()
        on_file()
    embed()
    joined = np.concatenate(vectors) if vectors else np.zeros((0, extractor.dim), dtype=np.float32)
    return EmbeddedImages(np.array(rows, dtype=np.intp), joined, contents, tuple(unread))


def refuse_parts(spec: ExtractorSpec) -> None:
    """Refuse an extractor that gives an image several vectors.

    Raises:
        SpecError: it does.
    """
    if spec.tiles and spec.tiles.keep == "parts":
        raise SpecError(
            f"Extractor {spec.name!r} gives every tile of an image a vector of its own (keep = parts), and a "
            "training takes one vector an image. Write keep = mean in its page, or leave the tiles out."
        )


def _decoded(spec: ExtractorSpec, paths: Sequence[str], decoding: Decoding) -> Iterator[_Decoded | Unread]:
    n_workers = decoding.processes
    grid = spec.tiles.grid if spec.tiles else None
    pool = DecodePool(
        spec.read, spec.plans(), tiles=grid, policy=decoding.policy, limits=decoding.limits,
        n_workers=n_workers,
    )  # fmt: skip
    # Leaving by an error closes the pool first: that frees the threads which wait for a worker.
    with ThreadPoolExecutor(n_workers) as threads, pool:
        decode = partial(_decode, pool, decoding.limits)
        yield from ahead(threads, decode, enumerate(paths), 4 * n_workers, lambda each: _size(each[1]))


def _decode(pool: DecodePool, limits: DecodeLimits, numbered: tuple[int, str]) -> _Decoded | Unread:
    row, path = numbered
    try:
        file = read_file(path, limits)
        return _Decoded(row, file.sha256, tuple(pool.decode(file.data)))
    except ImageError as error:
        return Unread(path, error.reason, error.detail)


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def _embedded(
    extractor: Extractor, files: Sequence[_Decoded]
) -> Iterator[tuple[_Decoded, NDArray[np.float32] | VectorError]]:
    """Embed files together; where that fails, one by one, so that one bad file costs itself alone."""
    if not files:
        return
    frames = [frame for each in files for frame in each.frames]
    try:
        rows = iter(_frame_rows(extractor, frames))
        done = [(each, np.stack([next(rows) for _ in each.frames])) for each in files]
    except VectorError as error:
        if len(files) == 1:
            yield files[0], error
            return
        for each in files:
            yield from _embedded(extractor, [each])
        return
    yield from done


def _frame_rows(extractor: Extractor, frames: Sequence[DecodedFrame]) -> list[NDArray[np.float32]]:
    plans = [np.concatenate(plan) for plan in zip(*(frame.prepared for frame in frames), strict=True)]
    starts = range(0, len(plans[0]), _MOST_TILES)
    tiles = np.concatenate(
        [extractor.embed([plan[start : start + _MOST_TILES] for plan in plans]) for start in starts]
    )
    ends = np.cumsum([len(frame.prepared[0]) for frame in frames])[:-1]
    return [join_tiles(each, extractor.spec.tiles)[0] for each in np.split(tiles, ends)]
