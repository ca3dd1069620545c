"""Work done in a thread while what came before is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_DEPTH = 2


def ahead(calls: Iterable[Callable[[], T]], depth: int = _DEPTH) -> Iterator[T]:
    """Yield what the calls return, in order; up to ``depth`` of them are done ahead, one after the other.

    What a call raises is raised in its place. Leaving early waits for the call that is being done, no more.
    """
    waiting: deque[Future[T]] = deque()
    thread = ThreadPoolExecutor(1, thread_name_prefix="cbir-ahead")
    try:
        for call in calls:
            waiting.append(thread.submit(call))
            if len(waiting) > depth:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        thread.shutdown(cancel_futures=True)
