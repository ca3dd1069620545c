"""Do the next things in threads while the first ones are taken."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")

BYTES_AHEAD = 512 << 20
"""Under way at once: so that a folder of whole slides does not fill the memory."""


def ahead(
    threads: ThreadPoolExecutor,
    function: Callable[[In], Out],
    items: Iterable[In],
    depth: int,
    n_bytes: Callable[[In], int],
) -> Iterator[Out]:
    """Map in threads, in order. An error of ``items`` comes in its turn, after what came before it.

    Args:
        threads: where ``function`` runs; ``items`` and ``n_bytes`` run in the caller's.
        function: what to do with each.
        items: read as far as there is room.
        depth: items under way at most.
        n_bytes: of an item; together at most ``BYTES_AHEAD``, or one item.
    """
    under_way: deque[tuple[Future[Out], int]] = deque()
    total = 0
    failure: Exception | None = None
    source = iter(items)
    while True:
        try:
            item = next(source)
        except StopIteration:
            break
        except Exception as error:  # noqa: BLE001 (raised below)
            failure = error
            break
        size = n_bytes(item)
        while under_way and (len(under_way) >= depth or total + size > BYTES_AHEAD):
            oldest, freed = under_way.popleft()
            total -= freed
            yield oldest.result()
        under_way.append((threads.submit(function, item), size))
        total += size
    for waiting, _size in under_way:
        yield waiting.result()
    if failure is not None:
        raise failure
