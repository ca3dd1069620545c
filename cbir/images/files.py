"""Read the bytes of a file that somebody else may be writing, linking or holding open."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import dataclass

from cbir.errors import ImageError, SkipReason
from cbir.images.settings import DecodeLimits

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


def read_file(path: str, limits: DecodeLimits) -> FileBytes:
    """Read a regular file, never through a symbolic link, and never half-changed.

    A file that changes while it is read is read once more.

    Raises:
        ImageError: ``vanished``, ``permission``, ``symlink``, ``not_a_file``, ``too_large``, ``changed`` or
            ``unreadable``.
    """
    try:
        return _read_unchanged(path, limits) or _read_again(path, limits)
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, SkipReason.UNREADABLE)
        raise ImageError(reason, error.strerror or type(error).__name__) from None


def _read_again(path: str, limits: DecodeLimits) -> FileBytes:
    if read := _read_unchanged(path, limits):
        return read
    raise ImageError(SkipReason.CHANGED, "changed while it was read, twice")


def _read_unchanged(path: str, limits: DecodeLimits) -> FileBytes | None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise ImageError(SkipReason.NOT_A_FILE, "not a regular file")
        if before.st_size > limits.max_file_bytes:
            size_mb = before.st_size >> 20
            detail = f"{size_mb} MB, over the limit of {limits.max_file_mb} MB (max_file_mb)"
            raise ImageError(SkipReason.TOO_LARGE, detail)
        data = file.read(before.st_size + 1)
        after = os.fstat(descriptor)
    if len(data) != before.st_size or (after.st_size, after.st_mtime_ns) != (
        before.st_size,
        before.st_mtime_ns,
    ):
        return None
    return FileBytes(path, data, len(data), before.st_mtime_ns, hashlib.sha256(data).hexdigest())
