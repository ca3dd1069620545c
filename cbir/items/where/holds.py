"""Whether a condition holds for an item: slow, obvious, and the truth for what is quicker.

There are three kinds of values: text, numbers, and true and false. A value is never equal to one of another
kind, and has no order with it; text is ordered by code point. None and NaN are
unknown: only ``is null`` holds.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Literal, TypeAlias

from cbir.items.where.condition import And, Compare, Condition, Known, Leaf, OneOf, Or, Scalar
from cbir.types import Item

Kind: TypeAlias = Literal["text", "number", "truth"]
Test: TypeAlias = Callable[[Scalar | None], bool]

OWN_COLUMNS = ("id", "path", "frame", "label", "group")
"""What every item has; all other columns are its metadata."""

_ORDERS: dict[str, Callable[[Scalar, Scalar], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def holds(condition: Condition, item: Item) -> bool:
    """Whether it does."""
    match condition:
        case And(parts):
            return all(holds(part, item) for part in parts)
        case Or(parts):
            return any(holds(part, item) for part in parts)
        case leaf:
            return leaf_test(leaf)(value_of(item, leaf.column))


def value_of(item: Item, column: str) -> Scalar | None:
    """An item's value of a column; None when it has none."""
    value: Scalar | None = getattr(item, column) if column in OWN_COLUMNS else item.metadata.get(column)
    return value


def kind_of(value: Scalar | None) -> Kind | None:
    """What kind of value it is; None when it is unknown."""
    if isinstance(value, str):
        return "text"
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return None
    return "truth" if isinstance(value, bool) else "number"


def leaf_test(leaf: Leaf) -> Test:
    """The leaf as a question to its column's values."""
    match leaf:
        case Known(_, negated):
            return lambda value: (kind_of(value) is None) is negated
        case OneOf(_, values, negated):
            return _is_one_of(values, negated=negated)
        case Compare(_, "=" | "!=" as op, value):
            return _is_one_of((value,), negated=op == "!=")
        case Compare(_, op, wanted):
            kind, stands = kind_of(wanted), _ORDERS[op]
            return lambda value: value is not None and kind_of(value) == kind and stands(value, wanted)


def _is_one_of(values: tuple[Scalar, ...], *, negated: bool) -> Test:
    wanted = {(kind_of(value), value) for value in values}

    def test(value: Scalar | None) -> bool:
        kind = kind_of(value)
        return kind is not None and ((kind, value) in wanted) is not negated

    return test
