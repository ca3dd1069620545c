"""Conditions on items: ``view = 'MLO' and density in ('C', 'D') and age >= 50``."""

from cbir.items.where.condition import (
    And,
    Compare,
    Condition,
    Known,
    Leaf,
    OneOf,
    Operator,
    Or,
    Scalar,
    leaves,
    opposite,
)
from cbir.items.where.holds import OWN_COLUMNS, Kind, holds, kind_of, leaf_test, value_of
from cbir.items.where.parse import parse_where
from cbir.items.where.text import written, written_column, written_value

__all__ = [
    "OWN_COLUMNS",
    "And",
    "Compare",
    "Condition",
    "Kind",
    "Known",
    "Leaf",
    "OneOf",
    "Operator",
    "Or",
    "Scalar",
    "holds",
    "kind_of",
    "leaf_test",
    "leaves",
    "opposite",
    "parse_where",
    "value_of",
    "written",
    "written_column",
    "written_value",
]
