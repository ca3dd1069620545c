"""The store ``qdrant``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.stores.exact import ExactStore
from indexer.stores.qdrant.embedded import build_shard, open_shard
from indexer.stores.store import Built, Generation, Store, StoreKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from indexer.manifest import StoreRef
    from indexer.sealed import SealedFile


def _build(generation: Generation, folder: str) -> Built:
    return build_shard(generation, folder)


def _open(generation: Generation, ref: StoreRef, files: Mapping[str, SealedFile]) -> Store:
    if ref.kind == "qdrant" and ref.files:
        return open_shard(generation, ref, files)
    return ExactStore(generation.embeddings)  # nothing was built yet


KIND = StoreKind(_build, _open)
