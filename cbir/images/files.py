"""Read the bytes of a file that somebody else may be writing, linking or holding open."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from typing import TypeVar

from cbir.errors import ImageError, SkipReason
from cbir.images.settings import DecodeLimits
from cbir.images.slides.sniff import is_slide
from cbir.images.slides.spec import SlideSpec

Read = TypeVar("Read")

_NO_SLIDES = (
    "a whole slide, and the extractor says nothing of slides; build with one whose page has "
    "[slides] magnification = 20, tile_px = 256"
)


_REASONS = {
    errno.ENOENT: SkipReason.VANISHED,
    errno.ENOTDIR: SkipReason.VANISHED,
    errno.EACCES: SkipReason.PERMISSION,
    errno.EPERM: SkipReason.PERMISSION,
    errno.ELOOP: SkipReason.SYMLINK,  # O_NOFOLLOW met a symbolic link
    errno.ENXIO: SkipReason.NOT_A_FILE,  # a FIFO or socket without a peer
}


@dataclass(frozen=True, slots=True)
class FileBytes:
    """A file's content as it was in one moment.

    Args:
        sha256: of ``data``, in hex.
    """

    path: str
    data: bytes
    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SlideFile:
    """A whole slide as it was in one moment; its content stays on disk.

    Args:
        sha256: of its bytes, in hex.
    """

    path: str
    size: int
    mtime_ns: int
    sha256: str


def read_file(path: str, limits: DecodeLimits) -> FileBytes:
    """Read a regular file, never through a symbolic link, and never half-changed.

    A file that changes while it is read is read once more.

    Raises:
        ImageError: ``vanished``, ``permission``, ``symlink``, ``not_a_file``, ``too_large``, ``changed`` or
            ``unreadable``.
    """
    return _unchanged(path, partial(_bytes, path, limits))


def read_file_or_slide(path: str, limits: DecodeLimits, *, slides: SlideSpec | None) -> FileBytes | SlideFile:
    """Read a file as ``read_file`` does; but of a whole slide, which may be of any size, only its sha256.

    Args:
        path: of the file.
        limits: what an ordinary file may cost.
        slides: of the extractor; without it a slide is refused, and not read at all.

    Raises:
        ImageError: as ``read_file``; ``unsupported``.
    """
    return _unchanged(path, partial(_bytes_or_hash, path, limits, slides))


@contextmanager
def opened_slide(slide: SlideFile) -> Iterator[int]:
    """Open a slide again, and see that it is and stays what it was.

    Yields:
        A descriptor, open for reading.

    Raises:
        ImageError: as ``read_file``; ``changed`` also on leaving.
    """
    with _said():
        descriptor = _opened(slide.path)
    try:
        _check_same(descriptor, slide)
        yield descriptor
        _check_same(descriptor, slide)
    finally:
        os.close(descriptor)


def _unchanged(path: str, read: Callable[[BufferedReader, os.stat_result], Read]) -> Read:
    """Read at most twice until the file is afterwards what it was before."""
    with _said():
        for _ in range(2):
            descriptor = _opened(path)
            with os.fdopen(descriptor, "rb") as file:
                before = os.fstat(descriptor)
                if not stat.S_ISREG(before.st_mode):
                    raise ImageError(SkipReason.NOT_A_FILE, "not a regular file")
                found = read(file, before)
                after = os.fstat(descriptor)
                is_whole = file.tell() == before.st_size
            if is_whole and (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns):
                return found
    raise ImageError(SkipReason.CHANGED, "changed while it was read, twice")


def _bytes(path: str, limits: DecodeLimits, file: BufferedReader, before: os.stat_result) -> FileBytes:
    if before.st_size > limits.max_file_bytes:
        size_mb = before.st_size >> 20
        detail = f"{size_mb} MB, over the limit of {limits.max_file_mb} MB (max_file_mb)"
        raise ImageError(SkipReason.TOO_LARGE, detail)
    data = file.read(before.st_size + 1)
    return FileBytes(path, data, len(data), before.st_mtime_ns, hashlib.sha256(data).hexdigest())


def _bytes_or_hash(
    path: str, limits: DecodeLimits, slides: SlideSpec | None, file: BufferedReader, before: os.stat_result
) -> FileBytes | SlideFile:
    if not is_slide(file.fileno(), limits.max_pixel_bytes):
        return _bytes(path, limits, file, before)
    if slides is None:
        raise ImageError(SkipReason.UNSUPPORTED, _NO_SLIDES)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    return SlideFile(path, before.st_size, before.st_mtime_ns, digest)


def _opened(path: str) -> int:
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


def _check_same(descriptor: int, slide: SlideFile) -> None:
    now = os.fstat(descriptor)
    if not stat.S_ISREG(now.st_mode) or (now.st_size, now.st_mtime_ns) != (slide.size, slide.mtime_ns):
        raise ImageError(SkipReason.CHANGED, "the slide changed after its sha256 was taken")


@contextmanager
def _said() -> Iterator[None]:
    """An error of the system, as a reason to skip the file."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, SkipReason.UNREADABLE)
        raise ImageError(reason, error.strerror or type(error).__name__) from None
