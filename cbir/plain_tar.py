"""Tar files of plain members: the same contents give the same bytes.

Owner, times and modes are constants. Who reads one knows what must come next, and takes nothing else: no
links, no folders, no other names.
"""

from __future__ import annotations

import tarfile
from typing import BinaryIO

BLOCK = 512
"""Headers take one or more, contents are filled up to whole ones."""

END = bytes(2 * BLOCK)


def header(name: str, size: int) -> bytes:
    """The one header that a member of this name and size has."""
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def padding(size: int) -> bytes:
    """What fills a member up to whole blocks."""
    return bytes(-size % BLOCK)


def read_header(file: BinaryIO, name: str) -> int:
    """The size of the member that comes next.

    Raises:
        ValueError: it is not a plain file of this name, or the file ends.
        tarfile.TarError: it is no tar.
    """
    n_blocks = len(header(name, 0))
    found = read_exactly(file, n_blocks)
    info = tarfile.TarInfo.frombuf(found[-BLOCK:], "utf-8", "surrogateescape")
    if info.size < 0 or found != header(name, info.size):
        raise ValueError(f"it has {info.name!r} where the plain file {name!r} belongs")
    return info.size


def read_padding(file: BinaryIO, size: int) -> None:
    """Pass over what fills a member of this size.

    Raises:
        ValueError: something else lies there, or the file ends.
    """
    if read_exactly(file, len(padding(size))) != padding(size):
        raise ValueError("something lies between its files")


def read_end(file: BinaryIO) -> None:
    """Pass over the end.

    Raises:
        ValueError: something else lies there, or the file ends before.
    """
    if read_exactly(file, len(END)) != END or file.read(1):
        raise ValueError("it holds more than its manifest says")


def read_exactly(file: BinaryIO, size: int) -> bytes:
    """So many bytes.

    Raises:
        ValueError: the file ends before.
    """
    data = file.read(size)
    if len(data) != size:
        raise ValueError("it ends too early")
    return data
