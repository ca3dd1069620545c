"""A published generation as one file: a tar of plain members, the manifest first.

The manifest has the size and the checksum of every other member, and of itself; headers and padding have but
one form. So every bit of the file is known to who reads the manifest. One generation gives the same bytes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbir.errors import IndexWriteError
from cbir.plain_tar import END, header, padding
from indexer.manifest import MANIFEST
from indexer.storage.durable import DurableFile
from indexer.storage.held import hold_generation

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK = 4 << 20


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was taken.

    Args:
        generation: of the index.
        n_items: in it.
        n_files: of the index, the manifest among them.
        n_bytes: of the snapshot.
        without_store: whether the store was built, in files or on a server, and is left out.
    """

    generation: int
    n_items: int
    n_files: int
    n_bytes: int
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
    held = hold_generation(path, with_store=with_store)
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
