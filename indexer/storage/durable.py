"""Writing so that a file is whole and on the disk, or not there: every byte of an index passes here.

A file is written beside its place, checksummed, fsynced and renamed; then its directory is fsynced. What
the disk refuses becomes an IndexWriteError, and nothing is left behind.
"""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import xxhash

from cbir.errors import IndexWriteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from types import TracebackType

TEMPORARY = ".tmp-"
"""How the name of a file that is not finished begins."""

_CHUNK = 4 << 20

# The only places where bytes leave for the disk. Tests make them fail, one call after the other.
_write: Callable[[int, memoryview], int] = os.write
_fsync: Callable[[int], None] = os.fsync
_replace: Callable[[Path, Path], None] = os.replace


@dataclass(frozen=True, slots=True)
class Seal:
    """What a finished file must look like: its size in bytes and its xxh3_128 checksum in hex."""

    size: int
    checksum: str


@contextlib.contextmanager
def refused(path: Path) -> Iterator[None]:
    """Turn an OSError inside into an IndexWriteError that names the path and what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise IndexWriteError(
            f"Could not write {str(path)!r}: {reason}. The index is as it was at its last commit; "
            "make room or repair the disk, and run again to go on."
        ) from error


class DurableFile:
    """A file being written; it appears under its name when ``seal`` is called, and not before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary = path.with_name(TEMPORARY + path.name)
        self._hash = xxhash.xxh3_128()
        self._size = 0
        with refused(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            self._fd = os.open(self._temporary, flags, 0o666)

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        view = memoryview(data).cast("B")
        with refused(self._path):
            start = 0
            while start < len(view):
                start += _write(self._fd, view[start:])
        self._hash.update(view)
        self._size += len(view)

    def seal(self, *, sync: bool = True) -> Seal:
        """Put the bytes on the disk (or leave that to the system) and the file in its place."""
        with refused(self._path):
            if sync:
                _fsync(self._fd)
            os.close(self._fd)
            self._fd = -1
            _replace(self._temporary, self._path)
        if sync:
            sync_directory(self._path.parent)
        return Seal(self._size, self._hash.hexdigest())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        with contextlib.suppress(OSError):
            self._temporary.unlink()


def write_file(path: Path, chunks: Iterable[bytes | memoryview]) -> Seal:
    """Write a whole file from its parts."""
    with DurableFile(path) as file:
        for chunk in chunks:
            file.write(chunk)
        return file.seal()


def copy_file(source: Path, target: Path) -> Seal:
    """Copy a whole file; the seal is of the bytes that were copied."""
    with refused(source):
        reader = source.open("rb")
    with reader:
        return write_file(target, chunks_of(reader.fileno(), source))


def write_unsynced(path: Path, chunks: Iterable[bytes | memoryview]) -> Seal:
    """Write a file that belongs to no index and that a crash may take: a writer's scratch copy."""
    with DurableFile(path) as file:
        for chunk in chunks:
            file.write(chunk)
        return file.seal(sync=False)


def seal_in_place(path: Path) -> Seal:
    """Put a file that others wrote on the disk, and seal it."""
    with refused(path), path.open("rb") as file:
        _fsync(file.fileno())
    return seal_of(path)


def seal_of(path: Path) -> Seal:
    """Read a file for its seal.

    Raises:
        OSError: it can't be read.
    """
    digest = xxhash.xxh3_128()
    size = 0
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while chunk := os.read(fd, _CHUNK):
            digest.update(chunk)
            size += len(chunk)
    finally:
        os.close(fd)
    return Seal(size, digest.hexdigest())


def rename_directory(source: Path, target: Path) -> None:
    """Give a directory its name, once all in it is on the disk; an empty one of that name makes room."""
    with refused(target):
        _replace(source, target)
    sync_directory(target.parent)


def sync_directory(path: Path) -> None:
    """Put the names in a directory on the disk; file systems that can't are let pass."""
    with refused(path):
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _fsync(fd)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):
                raise
        finally:
            os.close(fd)


def chunks_of(fd: int, path: Path) -> Iterator[bytes]:
    """What can still be read of an open file."""
    while True:
        with refused(path):
            chunk = os.read(fd, _CHUNK)
        if not chunk:
            return
        yield chunk
