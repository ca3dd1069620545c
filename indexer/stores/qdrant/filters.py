"""A condition on items, said as a filter of Qdrant, in the JSON of its REST interface.

What can't be said is left out: the filter then lets more through than the condition, never less, and the
caller looks again. Rows that several items share always pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.items.where import And, Compare, Known, OneOf, kind_of
from indexer.stores.qdrant.payload import SHARED, key_of, sayable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbir.items.where import Condition, Kind, Leaf, Scalar
    from indexer.storage.records import JSON

_BOUNDS = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


def native_filter(condition: Condition, columns: Mapping[str, Kind]) -> dict[str, JSON] | None:
    """The filter that lets every row through that has an item for which the condition holds; None for none.

    Args:
        condition: on the items.
        columns: what the payloads hold, as ``payload.columns_of`` gave it when they were written.
    """
    said = _said(condition, columns)
    return None if said is None else {"should": [said, _equals(SHARED, value=True)]}


def _said(condition: Condition, columns: Mapping[str, Kind]) -> dict[str, JSON] | None:
    if isinstance(condition, Compare | OneOf | Known):
        return _leaf(condition, columns)
    parts = [_said(part, columns) for part in condition.parts]
    sayable: list[JSON] = [part for part in parts if part is not None]
    if isinstance(condition, And):
        return {"must": sayable} if sayable else None
    return {"should": sayable} if sayable and len(sayable) == len(parts) else None


def _leaf(leaf: Leaf, columns: Mapping[str, Kind]) -> dict[str, JSON] | None:
    if leaf.column not in columns:
        return None
    key, kind = key_of(leaf.column), columns[leaf.column]
    match leaf:
        case Known():
            return _opposite(key) if not leaf.negated else _unknown(key)
        case OneOf():
            chosen, negated = _one_of(key, leaf.values, kind), leaf.negated
        case Compare(op="=" | "!="):
            chosen, negated = _one_of(key, (leaf.value,), kind), leaf.op == "!="
        case Compare():
            chosen, negated = _ordered(key, leaf.op, leaf.value, kind), False
    return _opposite(key, chosen) if chosen and negated else chosen


def _unknown(key: str) -> dict[str, JSON]:
    return {"is_empty": {"key": key}}


def _opposite(key: str, *refused: JSON) -> dict[str, JSON]:
    """The value is known, and none of these."""
    return {"must_not": [_unknown(key), *refused]}


def _ordered(key: str, op: str, value: Scalar, kind: Kind) -> dict[str, JSON] | None:
    # Qdrant orders numbers, and neither text nor flags.
    return {"key": key, "range": {_BOUNDS[op]: value}} if kind == "number" and _fits(value, kind) else None


def _one_of(key: str, values: tuple[Scalar, ...], kind: Kind) -> dict[str, JSON] | None:
    if not values or not all(_fits(value, kind) for value in values):
        return None
    if kind == "text":
        return {"key": key, "match": {"any": list(values)}}
    if kind == "truth":
        return {"should": [_equals(key, value=value) for value in values]}
    return {"should": [{"key": key, "range": {"gte": value, "lte": value}} for value in values]}


def _equals(key: str, *, value: Scalar) -> JSON:
    return {"key": key, "match": {"value": value}}


def _fits(value: Scalar, kind: Kind) -> bool:
    """Whether the engine compares a column of this kind with the value as ``holds`` does."""
    return kind_of(value) == kind and sayable(value) == value
