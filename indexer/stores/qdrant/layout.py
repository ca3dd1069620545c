"""How a collection is laid out on a server: memory or disk, precision, copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from qdrant_client.http.models import ScalarQuantization, VectorParams

    from indexer.stores.qdrant.connection import CollectionOptions

_INT8_FROM = 100_000
_IN_MEMORY_BYTES = 2 << 30
_BYTES_PER_NUMBER = 4
_QUANTILE = 0.99


class Layout(TypedDict):
    """Arguments of the client's ``create_collection``."""

    vectors_config: VectorParams
    shard_number: int | None
    replication_factor: int
    write_consistency_factor: int
    quantization_config: ScalarQuantization | None


def layout(options: CollectionOptions, dim: int, n_points: int) -> Layout:
    """What the options come to for about so many points: unit vectors, compared by their products."""
    from qdrant_client.http import models as m

    is_large = _BYTES_PER_NUMBER * dim * n_points > _IN_MEMORY_BYTES
    on_disk = is_large if options.on_disk is None else options.on_disk
    is_coded = options.quantisation == "int8" or (options.quantisation == "auto" and n_points >= _INT8_FROM)
    codes = m.ScalarQuantizationConfig(type=m.ScalarType.INT8, quantile=_QUANTILE, always_ram=True)
    return Layout(
        vectors_config=m.VectorParams(size=dim, distance=m.Distance.DOT, on_disk=on_disk),
        shard_number=options.shards,
        replication_factor=options.replicas,
        write_consistency_factor=options.write_consistency,
        quantization_config=m.ScalarQuantization(scalar=codes) if is_coded else None,
    )
