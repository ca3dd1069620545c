"""The engine in this process: a shard is filled once, published, and from then on only read."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from indexer.storage.durable import Seal, refused, seal_in_place, sync_directory
from indexer.storage.sealed import SealedFile
from indexer.stores.qdrant.edge import ShardLayout, edge_filter, load_edge
from indexer.stores.qdrant.fill import fill_shard
from indexer.stores.qdrant.payload import columns_of
from indexer.stores.qdrant.private_shard import CONFIG, SEGMENTS, load_shard
from indexer.stores.qdrant.search import engine_store, fill_settings
from indexer.stores.recall import least_effort
from indexer.stores.store import Built, Generation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from indexer.manifest import StoreRef
    from indexer.storage.records import JSON
    from indexer.stores.approximate import ApproximateStore

INT8_FROM = 200_000
"""From this many rows the engine keeps 8-bit codes in memory: the embeddings give the scores anyway."""

_LEAST_EF, _MOST_EF = 64, 2048


class EmbeddedEngine:
    """An ``Engine`` over a loaded shard; a point's key is its row."""

    def __init__(self, shard: Any, *, int8: bool) -> None:
        edge = load_edge()
        self._shard = shard
        self._pid = os.getpid()
        self._rough = edge.QuantizationSearchParams(rescore=False) if int8 else None

    def find(
        self, queries: NDArray[np.float32], depth: int, *, ef: int, condition: Mapping[str, JSON] | None
    ) -> list[NDArray[np.int64]]:
        """See ``Engine``."""
        if os.getpid() != self._pid:  # its threads did not come along, and it would wait for them for ever
            raise RuntimeError("A Qdrant store was opened before a fork: open the index in each process.")
        edge = load_edge()
        params = edge.SearchParams(hnsw_ef=ef, quantization=self._rough)
        chosen = None if condition is None else edge_filter(condition)
        requests = [
            edge.QueryRequest(query=edge.Query.Nearest(query), limit=depth, filter=chosen, params=params)
            for query in queries
        ]
        return [
            np.array([point.id for point in points], dtype=np.int64)
            for points in self._shard.query_batch(edge.QueryBatchRequest(requests))
        ]

    def n_points(self) -> int:
        """See ``Engine``."""
        count: int = self._shard.count(load_edge().CountRequest())
        return count

    def close(self) -> None:
        """See ``Engine``."""
        if os.getpid() == self._pid:
            self._shard.close()


def build_shard(generation: Generation, folder: str, *, layout: ShardLayout | None = None) -> Built:
    """Fill a shard with every row, put it on the disk, measure how hard it must look; nothing without rows.

    Raises:
        IndexWriteError: the disk is full, or refuses.
    """
    embeddings = generation.embeddings
    if not embeddings.n_rows:
        return Built()
    layout = layout or ShardLayout(int8=embeddings.n_rows >= INT8_FROM)
    root = generation.directory / folder
    columns = columns_of(generation.catalog.items())
    with refused(root):
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
    fill_shard(root, generation, columns, layout)
    seals = _publishable(root, folder)
    files = {name: SealedFile(generation.directory / name, seal) for name, seal in seals.items()}
    engine = EmbeddedEngine(load_shard(root, files), int8=layout.int8)
    try:
        ef, recall = least_effort(
            embeddings,
            lambda queries, depth, ef: engine.find(queries, depth, ef=ef, condition=None),
            least=_LEAST_EF,
            most=_MOST_EF,
        )
    finally:
        engine.close()
    settings: dict[str, JSON] = {"engine": "embedded", "int8": layout.int8}
    return Built(seals, embeddings.n_rows, {**settings, **fill_settings(generation, columns, ef, recall)})


def open_shard(generation: Generation, ref: StoreRef, files: Mapping[str, SealedFile]) -> ApproximateStore:
    """Check every file, load the shard, count its points."""
    config = next(name for name in ref.files if name.endswith(f"/{CONFIG}"))
    shard = load_shard((generation.directory / config).parent, files)
    engine = EmbeddedEngine(shard, int8=bool(ref.settings["int8"]))
    try:
        return engine_store(generation, ref, engine)
    except BaseException:
        engine.close()
        raise


def _publishable(root: Path, folder: str) -> dict[str, Seal]:
    """The seals of the files that make up the shard, on the disk; segments without points are removed."""
    with refused(root):
        for segment in (root / SEGMENTS).iterdir():
            if not any(segment.glob("*id_tracker.mappings")):
                shutil.rmtree(segment)
        parts = sorted(root.rglob("*"))
    seals = {f"{folder}/{part.relative_to(root)}": seal_in_place(part) for part in parts if part.is_file()}
    for part in [*reversed(parts), root, root.parent, root.parent.parent]:
        if part.is_dir():
            sync_directory(part)
    return seals
