"""A published file, mapped into memory and checked against its seal before its first use."""

from __future__ import annotations

import mmap
import os
import threading
from typing import TYPE_CHECKING

import xxhash

from cbir.errors import IndexDamagedError
from indexer.storage.durable import Seal, chunks_of, seal_of, write_unsynced

if TYPE_CHECKING:
    from pathlib import Path


class SealedFile:
    """Maps a file at once, so that it stays readable when a writer removes it; reads it when asked."""

    def __init__(self, path: Path, seal: Seal) -> None:
        """Map the file.

        Raises:
            FileNotFoundError: it is not there.
            IndexDamagedError: it has another size, or can't be read.
        """
        self._path = path
        self._seal = seal
        self._checked = False
        self._lock = threading.Lock()
        self._content = memoryview(b"")
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise _unreadable(path, error) from error
        try:
            size = os.fstat(fd).st_size
            if size != seal.size:
                raise damaged(path, f"{size} bytes found, {seal.size} written")
            if size:
                self._content = memoryview(mmap.mmap(fd, size, access=mmap.ACCESS_READ))
        finally:
            os.close(fd)

    def content(self) -> memoryview:
        """The bytes, checked on the first call.

        Raises:
            IndexDamagedError: they do not fit the checksum.
        """
        if not self._checked:
            with self._lock:
                found = xxhash.xxh3_128(self._content).hexdigest()
                if found != self._seal.checksum:
                    written = self._seal.checksum
                    raise damaged(self._path, f"checksum {found[:8]} found, {written[:8]} written")
                self._checked = True
        return self._content


def check_file(path: Path, seal: Seal) -> None:
    """Read a file and compare it with its seal.

    Raises:
        FileNotFoundError: it is not there.
        IndexDamagedError: it does not fit.
    """
    try:
        found = seal_of(path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unreadable(path, error) from error
    _compare(path, found, seal)


def copy_checked(path: Path, target: Path, seal: Seal) -> None:
    """Copy a file to work on, and compare what was copied with the seal, in one reading.

    Raises:
        FileNotFoundError: it is not there.
        IndexDamagedError: it does not fit; the copy is of no use.
        IndexWriteError: the disk refused.
    """
    try:
        reader = path.open("rb")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unreadable(path, error) from error
    with reader:
        _compare(path, write_unsynced(target, chunks_of(reader.fileno(), path)), seal)


def damaged(path: Path, what: str) -> IndexDamagedError:
    """The error for a file that is not what was written."""
    return IndexDamagedError(
        f"{str(path)!r} is damaged: {what}. Restore the index from a copy, or build it again."
    )


def _compare(path: Path, found: Seal, seal: Seal) -> None:
    if found.size != seal.size:
        raise damaged(path, f"{found.size} bytes found, {seal.size} written")
    if found.checksum != seal.checksum:
        raise damaged(path, f"checksum {found.checksum[:8]} found, {seal.checksum[:8]} written")


def _unreadable(path: Path, error: OSError) -> IndexDamagedError:
    return IndexDamagedError(f"{str(path)!r} can't be read: {error.strerror}. Check permissions and disk.")
