"""Qdrant's engine in this process, qdrant_edge: imported when first needed, and our words in its own."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from indexer.storage.records import JSON


@dataclass(frozen=True, slots=True)
class ShardLayout:
    """How a shard is built.

    Args:
        int8: whether the vectors in memory are 8-bit codes; those on the disk stay float32.
        n_links: of a point in the graph, HNSW's ``m``.
        ef_construct: how many points are kept in view while the graph is made.
        index_from_kb: vectors of this size in all get a graph. As small as can be, so that what is published
            is of the kind that the engine never changes.
        scan_up_to_kb: up to this size all points (or all that pass a filter) are compared instead.
    """

    int8: bool = False
    n_links: int = 16
    ef_construct: int = 128
    index_from_kb: int = 1
    scan_up_to_kb: int = 10_000


def load_edge() -> ModuleType:
    """The module ``qdrant_edge``."""
    return import_module("qdrant_edge")


def shard_config(dim: int, layout: ShardLayout) -> object:
    """The engine's form of a layout, for unit vectors of this dimension."""
    edge = load_edge()
    codes = edge.ScalarQuantizationConfig(type=edge.ScalarType.Int8, quantile=0.99, always_ram=True)
    config: object = edge.EdgeConfig(
        vectors=edge.EdgeVectorParams(size=dim, distance=edge.Distance.Dot),
        hnsw_config=edge.HnswIndexConfig(
            m=layout.n_links, ef_construct=layout.ef_construct, full_scan_threshold=layout.scan_up_to_kb
        ),
        quantization_config=codes if layout.int8 else None,
        optimizers=edge.EdgeOptimizersConfig(
            indexing_threshold=layout.index_from_kb, default_segment_number=1, max_segment_size=1 << 40
        ),
        wal_enabled=False,  # it is built in one go, put on the disk, and never written to again
    )
    return config


def field_index(form: Mapping[str, JSON]) -> object:
    """The engine's form of a payload index, from Qdrant's JSON."""
    edge = load_edge()
    kinds = {"keyword": edge.KeywordIndexParams, "float": edge.FloatIndexParams, "bool": edge.BoolIndexParams}
    index: object = kinds[str(form["type"])](**{key: value for key, value in form.items() if key != "type"})
    return index


def edge_filter(condition: Mapping[str, JSON]) -> object:
    """The engine's form of a filter, from Qdrant's JSON as ``filters`` writes it."""
    made: object = load_edge().Filter(
        **{how: [_clause(part) for part in parts] for how, parts in _groups(condition).items()}
    )
    return made


def _clause(clause: Any) -> object:
    edge = load_edge()
    if "is_empty" in clause:
        made: object = edge.IsEmptyCondition(clause["is_empty"]["key"])
    elif "match" in clause:
        made = edge.FieldCondition(key=clause["key"], match=_match(clause["match"]))
    elif "range" in clause:
        made = edge.FieldCondition(key=clause["key"], range=edge.RangeFloat(**clause["range"]))
    else:
        made = edge_filter(clause)
    return made


def _match(match: Any) -> Any:
    edge = load_edge()
    if "any" in match:
        return edge.MatchAny(match["any"])
    value = match["value"]
    return edge.MatchValue(np.bool_(value) if isinstance(value, bool) else value)  # takes True for 1


def _groups(condition: Any) -> dict[str, list[JSON]]:
    strange = condition.keys() - {"must", "should", "must_not"}
    if strange:
        raise ValueError(f"A filter says {sorted(strange)}, which is not known here.")
    return dict(condition)
