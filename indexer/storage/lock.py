"""One writer at a time."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Self

from filelock import FileLock, Timeout

from cbir.errors import IndexLockedError, IndexWriteError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

LOCK_FILE = "writer.lock"
PID_FILE = "writer.pid"


class WriterLock:
    """The right to write into one index directory; the system takes it back when the process dies."""

    def __init__(self, directory: Path) -> None:
        """Take the lock at once, or refuse.

        Raises:
            IndexLockedError: another process (or another writer of this one) holds it.
            IndexWriteError: the lock file can't be made.
        """
        self._pid_file = directory / PID_FILE
        self._lock = FileLock(directory / LOCK_FILE, timeout=0, is_singleton=False, thread_local=False)
        try:
            self._lock.acquire()
        except Timeout:
            raise IndexLockedError(
                f"Index {str(directory)!r} is being written by another process{self._holder()}. "
                "Wait for it to finish, or stop it."
            ) from None
        except OSError as error:
            raise IndexWriteError(
                f"Could not lock {str(directory)!r}: {error.strerror or error}. Is the directory writable?"
            ) from error
        with contextlib.suppress(OSError):
            self._pid_file.write_text(f"{os.getpid()}\n", encoding="ascii")

    def release(self) -> None:
        """Let others write; twice is fine."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._pid_file.unlink()
            self._lock.release()

    def _holder(self) -> str:
        with contextlib.suppress(OSError, ValueError):
            return f" (pid {int(self._pid_file.read_text(encoding='ascii'))})"
        return ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
