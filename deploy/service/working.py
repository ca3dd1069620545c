"""Work that takes the processor, in threads beside the event loop: as much at once as there are cores."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TypeVar

from deploy.service.problems import Problem

Done = TypeVar("Done")

_RETRY_S = 1


class Lane:
    """A few threads, and those who wait for one.

    Args:
        name: of the threads.
        n_threads: pieces of work at once.
        wait_s: that one may wait.
    """

    def __init__(self, name: str, n_threads: int, wait_s: float) -> None:
        self._threads = ThreadPoolExecutor(n_threads, thread_name_prefix=f"cbir-{name}")
        self._free = asyncio.Semaphore(n_threads)
        self._wait_s = wait_s

    async def run(self, work: Callable[[], Done]) -> Done:
        """Wait for a thread and for the work.

        A thread can't be interrupted: what has begun ends, whoever has stopped waiting for it.

        Raises:
            Problem: no thread was free in time.
        """
        try:
            async with asyncio.timeout(self._wait_s):
                await self._free.acquire()
        except TimeoutError:
            detail = f"No worker was free within {self._wait_s:g} s; ask again in {_RETRY_S} s."
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, retry_s=_RETRY_S) from None
        done = asyncio.get_running_loop().run_in_executor(self._threads, work)
        done.add_done_callback(lambda _: self._free.release())
        return await asyncio.shield(done)

    def close(self) -> None:
        """Wait for what has begun."""
        self._threads.shutdown(wait=True, cancel_futures=True)


class Working:
    """Two lanes, so that a thumbnail does not wait for the images that are decoded.

    Args:
        n_workers: images decoded and embedded at once; beside them run as many quick questions, and two more.
        wait_s: that a piece of work may wait.
    """

    def __init__(self, n_workers: int, wait_s: float) -> None:
        self.images = Lane("images", n_workers, wait_s)
        self.quick = Lane("quick", n_workers + 2, wait_s)

    def close(self) -> None:
        """Wait for what has begun."""
        self.images.close()
        self.quick.close()
