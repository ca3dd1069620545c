"""Files that are the old one or the new one, whatever happens while they are written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write a file whole, or leave the one that is there.

    Raises:
        OSError: the disk refused; names the file.
    """
    fresh = path.with_name(f".{path.name}")
    try:
        with fresh.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            file.write(text)
        put_in_place(fresh, path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def put_in_place(fresh: Path, target: Path) -> None:
    """Give a written file its name, once its bytes are on the disk.

    Raises:
        OSError: the disk refused.
    """
    _to_disk(fresh)
    fresh.replace(target)
    _to_disk(target.parent)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
