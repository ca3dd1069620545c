"""Loading a published shard without changing it.

The engine takes a directory for its own: it writes its configuration there, adds a segment for points to come
and opens every file for writing, though it changes none that is full. So it is shown a directory of its own:
in it, links to what is large and copies of what is small; or, where the published files may not be written to
or a writer has removed them meanwhile, copies of all, with the holes left out. What it has opened it keeps:
the directory goes as soon as the shard is loaded.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cbir.errors import IndexDamagedError, IndexWriteError
from indexer.stores.qdrant.edge import load_edge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from indexer.storage.sealed import SealedFile

CONFIG = "edge_config.json"
SEGMENTS = "segments"

_REWRITTEN = frozenset({"segment.json", "version.info"})
_SEGMENT_DEPTH = 2
_HOLE = 1 << 16
_ROOM_BYTES = 16 << 20
"""The engine writes through mapped memory: without room for what it adds it would take the process along."""

Contents = dict[Path, memoryview]


def load_shard(folder: Path, files: Mapping[str, SealedFile]) -> Any:
    """Load the shard of a store's folder.

    Args:
        folder: where the files were published.
        files: by path relative to the index, checked here; the folder's name is in each path.

    Raises:
        IndexDamagedError: a file does not fit its checksum, or the engine can't make sense of them.
        IndexWriteError: there is no room for a directory of its own.
    """
    contents = {_inside(folder, name): file.content() for name, file in files.items()}
    paths = [folder / part for part in contents]
    if all(os.access(path, os.W_OK) for path in paths):
        try:
            return _load_in(lambda private: _link(folder, contents, private))
        except Exception:
            if all(path.exists() for path in paths):
                raise
    return _load_in(lambda private: _copy(contents, private))


def _load_in(furnish: Callable[[Path], None]) -> Any:
    with tempfile.TemporaryDirectory(prefix="cbir-qdrant-") as name:
        try:
            _check_room(name)
            furnish(Path(name))
        except OSError as error:
            raise IndexWriteError(
                f"Qdrant's engine gets no working directory in {tempfile.gettempdir()!r}: {error.strerror}. "
                "Make room there, or set TMPDIR to another place."
            ) from error
        try:
            return load_edge().EdgeShard.load(name)
        except Exception as error:
            first, *_ = str(error).replace(name, "").splitlines()
            raise IndexDamagedError(
                f"Qdrant's engine can't open the store: {first}. Build it again: cbir index rebuild."
            ) from error


def _check_room(place: str) -> None:
    if shutil.disk_usage(place).free < _ROOM_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _link(folder: Path, contents: Contents, private: Path) -> None:
    """Link the folders of a segment as a whole: the engine counts files in some, and links don't count."""
    for part, content in contents.items():
        if len(part.parts) <= _SEGMENT_DEPTH + 1:
            place = private / part
            place.parent.mkdir(parents=True, exist_ok=True)
            if part.name in _REWRITTEN or part.name == CONFIG:
                place.write_bytes(content)
            else:
                place.symlink_to((folder / part).absolute())
        else:
            top = Path(*part.parts[: _SEGMENT_DEPTH + 1])
            (private / top).parent.mkdir(parents=True, exist_ok=True)
            if not (private / top).is_symlink():
                (private / top).symlink_to((folder / top).absolute())


def _copy(contents: Contents, private: Path) -> None:
    for part, content in contents.items():
        (private / part).parent.mkdir(parents=True, exist_ok=True)
        with (private / part).open("wb") as file:
            for start in range(0, len(content), _HOLE):
                chunk = content[start : start + _HOLE]
                if np.frombuffer(chunk, np.uint8).any():
                    file.seek(start)
                    file.write(chunk)
            file.truncate(len(content))


def _inside(folder: Path, name: str) -> Path:
    """The part of a path relative to the index that lies inside the store's folder."""
    parts = Path(name).parts
    return Path(*parts[parts.index(folder.name) + 1 :])
