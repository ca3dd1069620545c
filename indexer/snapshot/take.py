"""A published generation as one file: a tar of plain members, the manifest first.

The manifest has the size and the checksum of every other member, and of itself; headers and padding have but
one form. So every bit of the file is known to who reads the manifest. One generation gives the same bytes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cbir.errors import IndexWriteError
from cbir.plain_tar import END, header, padding
from indexer.durable import DurableFile
from indexer.formats import FORMAT
from indexer.manifest import (
    MANIFEST,
    Manifest,
    StoreRef,
    manifest_bytes,
    parse_manifest,
    read_manifest_bytes,
)
from indexer.sealed import SealedFile, damaged

if TYPE_CHECKING:
    from collections.abc import Mapping

_CHUNK = 4 << 20


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was taken.

    Args:
        generation: of the index.
        n_items: in it.
        n_files: of the index, the manifest among them.
        n_bytes: of the snapshot.
        without_store: whether the store has files that were left out.
    """

    generation: int
    n_items: int
    n_files: int
    n_bytes: int
    without_store: bool


@dataclass(frozen=True, slots=True)
class _Held:
    """A generation that no writer can take away: its manifest as it will be in the snapshot, its files."""

    content: bytes
    manifest: Manifest
    files: Mapping[str, SealedFile]
    without_store: bool


def take_snapshot(path: Path, target: Path, *, with_store: bool = False) -> Snapshot:
    """Copy the newest generation into one file; a writer may publish newer ones meanwhile.

    Every file is compared with its checksum before it is copied. The target appears when it is whole.

    Args:
        path: of the index directory.
        target: must not be there.
        with_store: take the store's files, too; else they can be built again from the embeddings. An index
            of an older format is always taken as it is.

    Raises:
        IndexMissingError: there is no index.
        IndexDamagedError: a file of it is missing or does not fit its checksum.
        IndexWriteError: something is at the target, or the disk refused.
    """
    if os.path.lexists(target):
        raise IndexWriteError(f"{str(target)!r} is there already. Name another file, or delete it.")
    held = _hold(path, with_store=with_store)
    contents = ((name, file.content()) for name, file in held.files.items())
    with DurableFile(target) as file:
        for name, data in ((MANIFEST, memoryview(held.content)), *contents):
            file.write(header(name, len(data)))
            for start in range(0, len(data), _CHUNK):
                file.write(data[start : start + _CHUNK])
            file.write(padding(len(data)))
        file.write(END)
        n_bytes = file.seal().size
    manifest = held.manifest
    return Snapshot(
        manifest.generation, manifest.n_items, len(held.files) + 1, n_bytes, without_store=held.without_store
    )


def _hold(path: Path, *, with_store: bool) -> _Held:
    before = -1
    while True:
        content = read_manifest_bytes(path)
        manifest = parse_manifest(content, path / MANIFEST)
        leave_out = bool(manifest.store.files) and not with_store and manifest.format == FORMAT
        if leave_out:
            manifest = _without_store(manifest)
            content = manifest_bytes(manifest)
        try:
            files = {name: SealedFile(path / name, seal) for name, seal in sorted(manifest.files.items())}
        except FileNotFoundError as error:
            if manifest.generation == before:
                raise damaged(Path(error.filename), "it is missing") from error
            before = manifest.generation
        else:
            return _Held(content, manifest, files, leave_out)


def _without_store(manifest: Manifest) -> Manifest:
    """The same generation before its store's files were built."""
    left_out = set(manifest.store.files)
    files = {name: seal for name, seal in manifest.files.items() if name not in left_out}
    return replace(manifest, files=files, store=StoreRef(manifest.store.kind))
