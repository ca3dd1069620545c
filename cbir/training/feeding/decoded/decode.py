"""Decode a material's images, each once, and keep what comes out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from cbir.ahead import ahead
from cbir.errors import ImageError
from cbir.images.decoding import Decoding, Unread
from cbir.images.files import read_file_or_slide
from cbir.images.pool import DecodePool
from cbir.training.feeding.decoded.store import Pixels, PixelStore
from cbir.training.preflight import check_contents

if TYPE_CHECKING:
    from cbir.images.files import FileBytes
    from cbir.images.settings import DecodeLimits, ReadSpec
    from cbir.training.feeding.decoded.plan import CachedPlan
    from cbir.training.material import Material


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """A material whose pixels are at hand. Images given = those of ``material`` + ``unread``.

    Args:
        material: what is left of the one given.
        contents: (n_images,), each file's sha256.
        pixels: one a plan, a row an image of ``material``.
        unread: in the order of the items file.
        n_decoded: how many were not there from an earlier run.
    """

    material: Material
    contents: tuple[str, ...]
    pixels: tuple[Pixels, ...]
    unread: tuple[Unread, ...]
    n_decoded: int


def decode_images(
    material: Material,
    plans: Sequence[CachedPlan],
    folder: Path,
    *,
    read: ReadSpec,
    decoding: Decoding | None = None,
    on_file: Callable[[], None] = lambda: None,
) -> Decoded:
    """Decode what the folder does not have yet, in worker processes, and open it all.

    Every file is read for its sha256; one that changed is another file. All images are kept in all plans,
    whatever their part: another seed makes another split. Interrupted, what is decoded stays. The images
    that can't be read may leave too little: check the material that comes back once more.

    Args:
        material: as read.
        plans: what is kept of each image, at least one.
        folder: for decoded images, of any number of materials; made if need be.
        read: of the extractor. Of several frames the middle one is taken, where an index would take all.
        decoding: None for the defaults.
        on_file: called after each file, in this thread.

    Raises:
        CbirError: workers can't start.
        ItemsError: the same file is in two parts.
        TrainingError: the disk refused.
    """
    if read.frames == "all":
        read = dataclasses.replace(read, frames="middle")
    decoding = decoding or Decoding()
    stores = [PixelStore(folder, plan, plan.key(read)) for plan in plans]
    stores[0].remove_abandoned()
    pool = DecodePool(
        read, [plan.steps for plan in plans], policy=decoding.policy, limits=decoding.limits,
        n_workers=decoding.processes, thumbnail_side_px=1,
    )  # fmt: skip
    one = _OneImage(pool, stores, decoding.limits)
    paths = [image.path for image in material.images]
    outcomes = []
    # Leaving by an error closes the pool first: that frees the threads which wait for a worker.
    with ThreadPoolExecutor(decoding.processes) as threads, pool:
        for outcome in ahead(threads, one.keep, paths, 4 * decoding.processes, _no_bytes):
            outcomes.append(outcome)
            on_file()
    rows = [row for row, outcome in enumerate(outcomes) if isinstance(outcome, _Kept)]
    kept = [outcome for outcome in outcomes if isinstance(outcome, _Kept)]
    contents = tuple(each.sha256 for each in kept)
    left = material.take(rows)
    check_contents(left, contents)
    return Decoded(
        material=left,
        contents=contents,
        pixels=tuple(Pixels(store, contents) for store in stores),
        unread=tuple(outcome for outcome in outcomes if isinstance(outcome, Unread)),
        n_decoded=sum(each.is_new for each in kept),
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    sha256: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class _OneImage:
    pool: DecodePool
    stores: Sequence[PixelStore]
    limits: DecodeLimits

    def keep(self, path: str) -> _Kept | Unread:
        """Decode a file where one of the stores lacks it."""
        try:
            # It refuses slides when no spec of them is given.
            file = cast("FileBytes", read_file_or_slide(path, self.limits, slides=None))
            lacking = [i for i, store in enumerate(self.stores) if not store.has(file.sha256)]
            if lacking:
                prepared = self.pool.decode(file.data)[0].prepared
                for i in lacking:
                    self.stores[i].put(file.sha256, prepared[i][0])
        except ImageError as error:
            return Unread(path, error.reason, error.detail)
        return _Kept(file.sha256, is_new=bool(lacking))


def _no_bytes(_path: str) -> int:
    """A file waits as its name: only those being decoded take room."""
    return 0
