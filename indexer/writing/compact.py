"""What makes a stored index smaller and faster without touching an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer.manifest import StoreRef
from indexer.stores import INDEX_ID, STORES, Generation
from indexer.writing import edits
from indexer.writing.following import new_index_id
from indexer.writing.publish import SCRATCH, STORE

if TYPE_CHECKING:
    from indexer.stores.store import Device
    from indexer.writing.scratch import Scratch

_SHRUNK = "shrunk.sqlite"

STALE_SHARE = 0.1
"""A store is built again when more than this share of the rows is not in its files."""


def build_store(scratch: Scratch, kind: str, device: Device, *, anew: bool = False) -> None:
    """Commit; then build the files of the store and publish them.

    Args:
        scratch: of the writer.
        kind: of STORES.
        device: where a store that can use a GPU is built.
        anew: even where those that are there are good enough.
    """
    scratch.commit()
    before, n_rows = scratch.manifest.store, scratch.manifest.n_rows
    is_fresh = before.kind == kind and before.files and n_rows - before.n_rows <= STALE_SHARE * n_rows
    if is_fresh and not anew:
        return
    with scratch.publishing():
        successor = scratch.manifest.successor()
        folder = f"{STORE}/{successor.generation:08d}"
        source = Generation(
            scratch.path,
            successor.fingerprint,
            scratch.pending.embeddings(),
            scratch.catalog,
            device,
            number=successor.generation,
        )
        built = STORES[kind].build(source, folder)
        store = StoreRef(kind, tuple(built.files), built.n_rows, built.settings)
        if store != before:
            scratch.publish(successor, {**scratch.pending.files, **built.files}, store)


def serve_store(scratch: Scratch, kind: str, *, anew: bool = False) -> None:
    """Commit; then let the store on the server be what the index is: mended, or made where there is none.

    Args:
        scratch: of the writer.
        kind: of the store.
        anew: make it again even if it is there and whole; searches go over to the new one in one step.
    """
    if scratch.catalog.memo(INDEX_ID) is None:
        with scratch.editing() as connection:
            edits.put_memo(connection, INDEX_ID, new_index_id())
    scratch.commit()
    with scratch.publishing():
        if scratch.following.is_live and not anew:
            scratch.following.settle(scratch.manifest, scratch.pending)
            return
        successor = scratch.manifest.successor()
        store = scratch.following.fill(kind, successor, scratch.pending)
        scratch.publish(successor, scratch.pending.files, store)


def drop_dead_rows(scratch: Scratch) -> int:
    """Commit; then rewrite the rows that have items, in as few blocks as can be; how many went."""
    scratch.commit()
    dead = scratch.catalog.dead_rows()
    if not dead and len(scratch.manifest.blocks) <= 1:
        return 0
    is_live = np.ones(scratch.manifest.n_rows, dtype=np.bool_)
    is_live[dead] = False
    with scratch.editing() as connection:
        scratch.pending.rewrite(np.flatnonzero(is_live))
        edits.drop_dead_rows(connection, scratch.path / SCRATCH / _SHRUNK)
        scratch.attached.drop_dead_rows()
        scratch.following.forget()  # rows have other numbers; points know nothing of those
        store = None if scratch.following.is_live else StoreRef(scratch.manifest.store.kind)
        scratch.publish(scratch.manifest.successor(), scratch.pending.files, store)
    return len(dead)
