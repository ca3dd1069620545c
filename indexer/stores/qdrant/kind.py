"""The store ``qdrant``: in this process, or on a server where the index says so or one was named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.stores.exact import ExactStore
from indexer.stores.qdrant.connection import served_at
from indexer.stores.qdrant.embedded import build_shard, open_shard
from indexer.stores.store import Built, Generation, LiveStore, Store, StoreKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from indexer.manifest import StoreRef
    from indexer.storage.sealed import SealedFile
    from indexer.stores.qdrant.connection import QdrantConnection


def _build(generation: Generation, folder: str) -> Built:
    return build_shard(generation, folder)


def _open(generation: Generation, ref: StoreRef, files: Mapping[str, SealedFile]) -> Store:
    if ref.kind == "qdrant" and (connection := served_at(ref, generation.server)):
        from indexer.stores.qdrant.served import open_served

        return open_served(generation, ref, connection)
    if ref.kind == "qdrant" and ref.files:
        return open_shard(generation, ref, files)
    return ExactStore(generation.embeddings)  # nothing was built yet


def _live(ref: StoreRef | None, server: QdrantConnection | None) -> LiveStore | None:
    connection = server if ref is None else served_at(ref, server)
    if connection is None:
        return None
    from indexer.stores.qdrant.live import ServedCollection

    return ServedCollection(connection, ref)


KIND = StoreKind(_build, _open, _live)
