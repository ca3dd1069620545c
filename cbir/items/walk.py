"""Which files there are below a folder; symbolic links are never followed."""

from __future__ import annotations

import os
import stat
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from cbir.errors import SkipReason
from cbir.items.found import Found, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)

EVERYTHING = ("**",)
"""The pattern that every path matches."""


def walk(
    folder: str, pattern: tuple[str, ...] = EVERYTHING, *, without: str | None = None
) -> Iterator[Found | Refused]:
    """Find every file below a folder whose path matches, hidden ones too, sorted by name in each folder.

    Args:
        folder: absolute; may itself be a link.
        pattern: path components below the folder, as in ``fnmatch``; ``**`` is any number of folders. A
            folder that matches stands for all that is in it.
        without: the real path of a folder to pass over in silence.
    """
    pattern = (*pattern, "**")
    waiting: list[tuple[str, ...]] = [()]
    while waiting:
        parts = waiting.pop()
        path = os.path.join(folder, *parts)  # noqa: PTH118 - names need not be UTF-8, and stay text
        seen = _look(path) if parts else None
        if isinstance(seen, Found):
            if _matches(parts, pattern):
                yield seen
        elif seen is None:
            if _may_contain(parts, pattern) and (without is None or os.path.realpath(path) != without):
                names = _names_in(path)
                if isinstance(names, Refused):
                    yield names
                else:
                    waiting.extend((*parts, name) for name in names)
        elif _matches(parts, pattern) or (os.path.isdir(path) and _may_contain(parts, pattern)):  # noqa: PTH112
            yield seen


def look(path: str) -> Found | Refused:
    """Say what a path given by name is; a folder is refused here."""
    seen = _look(path)
    return Refused(path, SkipReason.NOT_A_FILE, "a folder") if seen is None else seen


def _look(path: str) -> Found | Refused | None:
    """None for a folder."""
    try:
        mode = os.lstat(path).st_mode
    except OSError as error:
        return refusal(path, error)
    if stat.S_ISREG(mode):
        return Found(path)
    if stat.S_ISDIR(mode):
        return None
    if stat.S_ISLNK(mode):
        return Refused(path, SkipReason.SYMLINK, "symbolic links are not followed")
    kind = next((words for is_kind, words in _KINDS if is_kind(mode)), "not a regular file")
    return Refused(path, SkipReason.NOT_A_FILE, kind)


def refusal(path: str, error: OSError) -> Refused:
    """Why the system does not let us at a path."""
    if isinstance(error, PermissionError):
        reason = SkipReason.PERMISSION
    elif isinstance(error, FileNotFoundError | NotADirectoryError):
        reason = SkipReason.VANISHED
    else:
        reason = SkipReason.UNREADABLE
    return Refused(path, reason, os.strerror(error.errno) if error.errno else "the file system failed")


def _names_in(folder: str) -> list[str] | Refused:
    """List a folder, the last name first; or say why it can't be listed."""
    try:
        return sorted(os.listdir(folder), reverse=True)  # noqa: PTH208 - names need not be UTF-8
    except OSError as error:
        return refusal(folder, error)


def _matches(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        rest = pattern[1:]
        return not rest or any(_matches(parts[i:], rest) for i in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _may_contain(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Whether something below a folder can match; the pattern ends in ``**``."""
    for part, wanted in zip(parts, pattern, strict=False):
        if wanted == "**":
            return True
        if not fnmatchcase(part, wanted):
            return False
    return True
