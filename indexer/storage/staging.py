"""A new index directory that appears in one step, when all of it is there."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING

from cbir.errors import IndexWriteError
from indexer.manifest import MANIFEST
from indexer.storage.durable import TEMPORARY, refused, rename_directory
from indexer.storage.lock import LOCK_FILE, PID_FILE, WriterLock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A folder to fill, that becomes the target when nothing went wrong inside.

    One that was interrupted leaves nothing under the target's name, and the next one to the same target
    clears up behind it.

    Args:
        target: must not be there, or be an empty folder.

    Raises:
        IndexWriteError: something is at the target, or the disk refused.
        IndexLockedError: another process fills the same target.
    """
    check_free(target)
    staging = target.with_name(TEMPORARY + target.name)
    with refused(target):
        staging.mkdir(parents=True, exist_ok=True)
    with WriterLock(staging):
        try:
            with refused(target):
                _clear(staging)
            yield staging
            (staging / PID_FILE).unlink(missing_ok=True)
            check_free(target)
            rename_directory(staging, target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def check_free(target: Path) -> None:
    """Refuse a place where something is already.

    Raises:
        IndexWriteError: an index or something else is there.
    """
    with refused(target):
        taken = os.path.lexists(target) and (not target.is_dir() or any(target.iterdir()))
    if taken:
        what = "an index" if (target / MANIFEST).is_file() else "something else"
        raise IndexWriteError(f"There is {what} at {str(target)!r} already. Choose another place with -o.")


def _clear(staging: Path) -> None:
    """Remove what a killed one left."""
    for entry in staging.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name not in {LOCK_FILE, PID_FILE}:
            entry.unlink()
