"""Look at the masks of a data set, in killable processes, and show how far that is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from cbir.errors import ImageError
from cbir.images.files import read_file
from cbir.images.mask_box import MASK_STEPS, read_marked
from cbir.images.pool import DecodePool
from cbir.images.settings import ReadSpec
from cbir.items.datasets import Seen
from cli.settings import Settings
from cli.terminal import has_terminal, note

_LINE_EVERY_S = 10.0


class MaskReader:
    """A ``LookAt``: tells size, box and kind of images.

    Args:
        settings: workers and limits.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __call__(self, paths: Sequence[str]) -> Mapping[str, Seen]:
        """Look at every file; those that can't be read are left out."""
        n_workers = self._settings.workers or os.cpu_count() or 1
        limits = self._settings.limits
        spec = ReadSpec(frames="first", voi="full")
        threads = ThreadPoolExecutor(n_workers)
        with DecodePool(spec, [MASK_STEPS], limits=limits, n_workers=n_workers) as pool:
            try:
                looks = threads.map(lambda path: self._look(path, pool), paths)
                shown = _shown(zip(paths, looks, strict=True), len(paths))
                return {path: seen for path, seen in shown if seen is not None}
            finally:
                threads.shutdown(wait=False, cancel_futures=True)

    def _look(self, path: str, pool: DecodePool) -> Seen | None:
        try:
            frame = pool.decode(read_file(path, self._settings.limits).data)[0]
        except ImageError:
            return None
        marked = read_marked(frame.prepared[0])
        return Seen((frame.info.width, frame.info.height), marked.is_mask, marked.box)


def _shown(looks: Iterable[tuple[str, Seen | None]], n_files: int) -> Iterator[tuple[str, Seen | None]]:
    """Pass them on: with a bar at a terminal, else with a line now and then."""
    if has_terminal():
        from rich.console import Console
        from rich.progress import track

        what = "looking at images and masks"
        yield from track(looks, what, n_files, console=Console(stderr=True), transient=True)
        return
    told = time.monotonic()
    for n_done, look in enumerate(looks, 1):
        yield look
        if time.monotonic() - told >= _LINE_EVERY_S:
            told = time.monotonic()
            note(f"{n_done} of {n_files} images and masks looked at")
