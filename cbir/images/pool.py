"""Decode untrusted files in worker processes that can be killed."""

from __future__ import annotations

import contextlib
import dataclasses
import queue
import threading
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from cbir.errors import CbirError, ImageError, SkipReason
from cbir.images.settings import DecodeLimits, ReadPolicy, ReadSpec
from cbir.images.steps import step_to_dict
from cbir.images.worker_process import DecodedFrame, WorkerProcess

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from types import TracebackType

    from cbir.images.slides.spec import SlideSpec
    from cbir.images.steps import JSON, Step
    from cbir.images.tiles import Box, TileGrid

__all__ = ["DecodePool", "DecodedFrame"]


class _Slot:
    """Room for one worker, which may be there, on its way, or not yet wanted."""

    worker: Future[WorkerProcess] | None = None


class DecodePool:
    """Turns bytes into prepared frames, whatever the bytes do to the decoder.

    ``decode`` may be called by many threads; as many run at once as there are workers. A worker that dies,
    runs out of time or answers nonsense is killed, and the next file gets a new one; so does the next after
    1,000 files, or after a worker that keeps more than 512 MB between two files.

    Args:
        read: which frames, which VOI.
        plans: lists of steps, each ending in numbers for a network.
        tiles: the plans are carried out on each of these; None for the image as a whole.
        slides: which tiles of a whole slide; None where slides are not read.
        policy: which files are admitted.
        limits: what one file may cost.
        n_workers: processes at most; they start with their first file, or with ``start``.
        hash_key: for the keyed hashes of patient, study, series and instance; None leaves them out.
        thumbnail_side_px: the thumbnail fits a square of this side.
    """

    def __init__(
        self,
        read: ReadSpec,
        plans: Sequence[Sequence[Step]],
        *,
        tiles: TileGrid | None = None,
        slides: SlideSpec | None = None,
        policy: ReadPolicy | None = None,
        limits: DecodeLimits | None = None,
        n_workers: int = 2,
        hash_key: bytes | None = None,
        thumbnail_side_px: int = 192,
        _worker_module: str = "cbir.images.worker",
    ) -> None:
        if n_workers < 1:
            raise ValueError(f"n_workers is {n_workers}; it must be 1 or more.")
        self._limits = limits or DecodeLimits()
        self._task: dict[str, JSON] = {
            "read": dict(read.to_dict()),
            "policy": dataclasses.asdict(policy or ReadPolicy()),
            "limits": dataclasses.asdict(self._limits),
            "plans": [[step_to_dict(step) for step in steps] for steps in plans],
            "tiles": None if tiles is None else dataclasses.asdict(tiles),
            "slides": None if slides is None else slides.to_dict(),
            "hash_key": None if hash_key is None else hash_key.hex(),
            "thumbnail_side_px": thumbnail_side_px,
        }
        self._worker_module = _worker_module
        self._slots = [_Slot() for _ in range(n_workers)]
        self._free: queue.LifoQueue[_Slot] = queue.LifoQueue()
        for slot in reversed(self._slots):
            self._free.put(slot)
        self._lock = threading.Lock()
        self._closed = False
        # The kernel kills a worker when the thread that started it ends: it must live as long as the pool.
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cbir-decode")

    def start(self) -> None:
        """Start all workers in the background; returns at once."""
        for slot in self._slots:
            self._ensure_worker(slot)

    def decode(self, data: bytes, *, region: Box | None = None) -> list[DecodedFrame]:
        """Decode one file, of whatever format its content says; blocks.

        Args:
            data: the whole file.
            region: of the image as read, to be taken as if it were the whole: tiles, steps and thumbnail are
                those of the region.

        Returns:
            The frames that the read spec asks for, at least one.

        Raises:
            ImageError: the file can't become pixels; ``decoder_crashed`` and ``decoder_timeout`` too;
                ``outside`` where the region reaches beyond the image.
            CbirError: workers can't be started at all.
            RuntimeError: the pool is closed.
        """
        if len(data) > self._limits.max_file_bytes:
            detail = f"{len(data)} bytes are more than max_file_mb = {self._limits.max_file_mb}"
            raise ImageError(SkipReason.TOO_LARGE, detail)
        with self._worker() as worker:
            return worker.decode(data, self._limits.timeout_s, region)

    def decode_slide(self, descriptor: int) -> Generator[DecodedFrame]:
        """Decode the tissue tiles of a whole slide, up to 64 at a time.

        The worker is given the open file and reads it itself; it goes on with the next tiles while these
        are used. Close the generator when you leave it early: it holds a worker until then, and ``close``
        waits for that.

        Args:
            descriptor: open for reading until the last tile.

        Yields:
            Tiles with their boxes. What else a frame says is true of the whole slide in the last one.

        Raises:
            ImageError: as ``decode``, at any time; ``timeout_s`` and ``memory_mb`` hold for each yield.
            CbirError: workers can't be started at all.
            RuntimeError: the pool is closed.
        """
        with self._worker() as worker:
            yield from worker.decode_slide(descriptor, self._limits.timeout_s)

    def close(self) -> None:
        """Kill all workers, and wait until they are gone; calls still decoding raise. May be called twice."""
        with self._lock:
            self._closed = True
            started = [slot.worker for slot in self._slots if slot.worker is not None]
        self._starter.shutdown(wait=True, cancel_futures=True)
        workers = [each.result() for each in started if not each.cancelled() and each.exception() is None]
        for worker in workers:
            worker.kill()
        for _ in self._slots:  # calls under way see their worker gone, and end
            self._free.get()
        for slot in self._slots:
            self._free.put(slot)
        for worker in workers:
            worker.forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @contextlib.contextmanager
    def _worker(self) -> Iterator[WorkerProcess]:
        """Wait for a worker that is ready; it is kept if it ends well."""
        slot = self._free.get()
        try:
            worker = self._started(self._ensure_worker(slot))
            keep = False
            try:
                worker.wait_until_ready()
                yield worker
                keep = True
            except CbirError:
                keep = worker.is_usable
                if self._closed:
                    raise RuntimeError("The decode pool was closed while it decoded.") from None
                raise
            finally:  # whatever ends the call, Ctrl-C too: a worker in mid-sentence is not used again
                if not keep or worker.is_worn:
                    with self._lock:
                        slot.worker = None
                    worker.kill()
                    worker.forget()
        finally:
            self._free.put(slot)

    def _started(self, starting: Future[WorkerProcess]) -> WorkerProcess:
        try:
            return starting.result()
        except CancelledError:
            raise RuntimeError("The decode pool is closed.") from None

    def _ensure_worker(self, slot: _Slot) -> Future[WorkerProcess]:
        with self._lock:
            if self._closed:
                raise RuntimeError("The decode pool is closed.")
            if slot.worker is None or _is_gone(slot.worker):
                slot.worker = self._starter.submit(WorkerProcess.start, self._worker_module, self._task)
            return slot.worker


def _is_gone(starting: Future[WorkerProcess]) -> bool:
    """Whether a worker never started, or somebody else (the out-of-memory killer) ended it while idle."""
    if not starting.done():
        return False
    if starting.cancelled() or starting.exception() is not None:
        return True
    worker = starting.result()
    if worker.has_ended:
        worker.forget()
    return worker.has_ended
