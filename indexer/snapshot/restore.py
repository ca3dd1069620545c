"""An index from a snapshot: written beside its place, checked, and put there in one step."""

from __future__ import annotations

import re
import tarfile
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from cbir.errors import IndexDamagedError, IndexMissingError
from cbir.plain_tar import read_end, read_exactly, read_header, read_padding
from indexer.formats import FORMAT
from indexer.manifest import ATTACHED, MANIFEST, MODEL, Manifest, parse_manifest
from indexer.storage.durable import Seal, write_file
from indexer.storage.opened import open_generation
from indexer.storage.staging import check_free, staged
from indexer.writing.publish import EMBEDDINGS, STORE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK = 4 << 20
_MANIFEST_MOST = 256 << 20
_CATALOG = re.compile(r"catalog-\d{8,}\.sqlite")
_FOLDERS = frozenset({ATTACHED, EMBEDDINGS, MODEL, STORE})
_AGAIN = "Take the snapshot again, or carry it over again."


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored.

    Args:
        generation: of the index when the snapshot was taken.
        n_items: in it.
        n_files: of the index, the manifest among them.
        lacks_store: whether its store may have to be built: it has no files, and no older format.
    """

    generation: int
    n_items: int
    n_files: int
    lacks_store: bool


def restore_snapshot(source: Path, target: Path) -> Restored:
    """Write the index that a snapshot holds; the directory appears when all of it was checked.

    The snapshot is read as what ``take_snapshot`` writes and as nothing else: a manifest, then exactly its
    files with exactly its checksums. One that was interrupted leaves nothing under the target's name, and
    the next one to the same target clears up behind it.

    Args:
        source: the snapshot.
        target: must not be there, or be an empty folder.

    Raises:
        IndexMissingError: the snapshot is not there, or of a newer format.
        IndexDamagedError: it is none, cut off, or a bit of it is not as it was written.
        IndexWriteError: something is at the target, or the disk refused.
        IndexLockedError: another process restores to the same target.
    """
    check_free(target)
    try:
        file = source.open("rb")
    except OSError as error:
        raise IndexMissingError(
            f"{str(source)!r} can't be read: {error.strerror}. Name what `cbir index snapshot` wrote."
        ) from error
    with file, staged(target) as staging:
        return _restore(file, source, staging)


def _restore(file: BinaryIO, source: Path, staging: Path) -> Restored:
    try:
        content = _read_manifest(file)
        manifest = parse_manifest(content, source)
        _check_names(manifest, source)
        for name, seal in sorted(manifest.files.items()):
            _check_member(file, name, seal, staging, source)
        read_end(file)
    except (tarfile.TarError, ValueError, OSError) as error:
        raise IndexDamagedError(f"{str(source)!r} is no snapshot, or damaged: {error}. {_AGAIN}") from error
    manifest.extractor_spec()
    write_file(staging / MANIFEST, [content])
    open_generation(staging).catalog.close()
    lacks_store = not manifest.store.files and manifest.format == FORMAT
    return Restored(manifest.generation, manifest.n_items, len(manifest.files) + 1, lacks_store)


def _read_manifest(file: BinaryIO) -> bytes:
    size = read_header(file, MANIFEST)
    if size > _MANIFEST_MOST:
        raise ValueError(f"its manifest claims {size} bytes, more than {_MANIFEST_MOST}")
    content = read_exactly(file, size)
    read_padding(file, size)
    return content


def _check_names(manifest: Manifest, source: Path) -> None:
    """Every name is one that an index gives its files, and none that is needed is missing."""
    missing = {manifest.catalog, *manifest.store.files} - set(manifest.files)
    if missing:
        raise ValueError(f"its manifest lists no {min(missing)!r}")
    for name in manifest.files:
        parts = PurePosixPath(name).parts
        in_folder = len(parts) > 1 and parts[0] in _FOLDERS and ".." not in parts
        is_plain = "\0" not in name and "/".join(parts) == name
        if not is_plain or not (in_folder or (name == manifest.catalog and _CATALOG.fullmatch(name))):
            raise IndexDamagedError(
                f"{str(source)!r} holds {name!r}, which is no file of an index: nothing was restored."
            )


def _check_member(file: BinaryIO, name: str, seal: Seal, staging: Path, source: Path) -> None:
    """Write a member, and compare it with its seal."""
    size = read_header(file, name)
    if size != seal.size:
        raise ValueError(f"{name} has {size} bytes, {seal.size} were written")
    found = write_file(staging / name, _chunks(file, size))
    if found != seal:
        raise IndexDamagedError(
            f"{str(source)!r} is damaged: {name} has the checksum {found.checksum[:8]}, "
            f"{seal.checksum[:8]} was written. {_AGAIN}"
        )
    read_padding(file, size)


def _chunks(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size:
        chunk = read_exactly(file, min(size, _CHUNK))
        yield chunk
        size -= len(chunk)
