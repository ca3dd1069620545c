"""Working ahead keeps the order, and does not fill the memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from cbir.ahead import ahead


def test_reading_ahead_is_bounded_by_bytes_and_keeps_the_order(monkeypatch):
    monkeypatch.setattr("cbir.ahead.BYTES_AHEAD", 100)
    under_way = set()
    most = []

    def work(size: int) -> int:
        under_way.add(size)
        most.append(sum(under_way))
        return size

    sizes = [30, 31, 32, 90, 150, 1, 2, 3, 4]
    with ThreadPoolExecutor(4) as threads:
        done = []
        for size in ahead(threads, work, sizes, 4, lambda size: size):
            under_way.discard(size)
            done.append(size)
    assert done == sizes
    assert max(most) <= 150 + 4


def test_an_error_of_the_items_comes_after_what_came_before_it():
    def items():
        yield from range(3)
        raise OSError("no more")

    with ThreadPoolExecutor(2) as threads:
        squares = ahead(threads, lambda item: item * item, items(), 10, lambda _: 1)
        assert [next(squares) for _ in range(3)] == [0, 1, 4]
        with pytest.raises(OSError, match="no more"):
            next(squares)
