"""The engine in this process: a shard is filled once, published, and from then on only read."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

from cbir.errors import IndexWriteError
from indexer.durable import Seal, refused, seal_in_place, sync_directory
from indexer.sealed import SealedFile
from indexer.stores.qdrant.edge import ShardLayout, edge_filter, field_index, load_edge, shard_config
from indexer.stores.qdrant.payload import columns_of, indexes, payloads
from indexer.stores.qdrant.private_shard import CONFIG, SEGMENTS, load_shard
from indexer.stores.qdrant.search import engine_store, fill_settings
from indexer.stores.recall import least_effort
from indexer.stores.store import Built, Generation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from indexer.manifest import StoreRef
    from indexer.records import JSON
    from indexer.stores.approximate import ApproximateStore
    from indexer.stores.qdrant.payload import Kind

INT8_FROM = 200_000
"""From this many rows the engine keeps 8-bit codes in memory: the embeddings give the scores anyway."""

_BATCH = 1000
_LEAST_EF, _MOST_EF = 64, 2048
_ROOM = 3
"""The disk must have room for so many times the vectors: while the graph is made they lie there twice."""


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
        _check_room(root, 4 * embeddings.n_rows * embeddings.dim)
    try:
        _fill(root, generation, columns, layout)
    except Exception as error:
        first, *_ = str(error).splitlines()
        raise IndexWriteError(
            f"Qdrant's engine could not write {str(root)!r}: {first}. The index is as it was at its last "
            "commit; make room or repair the disk, and run again to go on."
        ) from error
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


def _fill(root: Path, generation: Generation, columns: Mapping[str, Kind], layout: ShardLayout) -> None:
    edge = load_edge()
    shard = edge.EdgeShard.create(str(root), shard_config(generation.embeddings.dim, layout))
    tenant = generation.catalog.memo("tenant_column")
    for key, form in indexes(columns, tenant=tenant if isinstance(tenant, str) else None):
        shard.update(edge.UpdateOperation.create_field_index(key, field_index(form)))
    for first_row, block in generation.embeddings.blocks():
        for start in range(0, len(block), _BATCH):
            rows = range(first_row + start, first_row + min(start + _BATCH, len(block)))
            said = payloads(generation.catalog, rows.start, rows.stop)
            points = [
                edge.Point(row, vector, payload)
                for row, vector, payload in zip(rows, block[start : start + _BATCH], said, strict=True)
            ]
            shard.update(edge.UpdateOperation.upsert_points(points))
    shard.optimize()
    shard.flush()
    shard.close()
    if any(root.glob(f"{SEGMENTS}/*/mutable_id_tracker.mappings")):
        edge.EdgeShard.load(str(root)).close()  # folds journals in: after that, loading changes nothing


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


def _check_room(root: Path, n_bytes: int) -> None:
    free = shutil.disk_usage(root).free
    if free < _ROOM * n_bytes:
        raise IndexWriteError(
            f"A Qdrant store of {n_bytes >> 20} MiB of vectors needs about {_ROOM * n_bytes >> 20} MiB on "
            f"the disk of {str(root)!r}, {free >> 20} MiB are free. Make room, or take another store."
        )
