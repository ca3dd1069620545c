"""A disk that refuses one of the calls that write."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from indexer.storage import durable


class Disk:
    """Counts the calls that write, and refuses the one asked for."""

    def __init__(self, fail_at: int, code: int) -> None:
        self.n_calls = 0
        self._fail_at = fail_at
        self._code = code

    def wrap(self, call: Callable[..., object]) -> Callable[..., object]:
        def wrapped(*values: object) -> object:
            self.n_calls += 1
            if self.n_calls == self._fail_at:
                raise OSError(self._code, os.strerror(self._code))
            return call(*values)

        return wrapped


@contextmanager
def disk(fail_at: int = 0, code: int = errno.ENOSPC) -> Iterator[Disk]:
    watched = Disk(fail_at, code)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(durable, "_write", watched.wrap(os.write))
        patch.setattr(durable, "_fsync", watched.wrap(lambda _fd: None))  # no power is cut here
        patch.setattr(durable, "_replace", watched.wrap(os.replace))
        yield watched
