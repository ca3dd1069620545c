"""A condition on items, as a value.

As in SQL, a comparison holds only where the value is known. Negations are at the leaves, so that the opposite
of a comparison holds only where the value is known, too: ``not age < 50`` is ``age >= 50``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

Scalar = str | int | float | bool
"""What a column is compared with."""

Operator = Literal["=", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Compare:
    """The column's value is known, and stands so to another."""

    column: str
    op: Operator
    value: Scalar


@dataclass(frozen=True, slots=True)
class OneOf:
    """The column's value is known, and is one of these; ``negated``: none of them."""

    column: str
    values: tuple[Scalar, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """The column's value is known; ``negated``: it is not."""

    column: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class And:
    """All of these hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of these holds."""

    parts: tuple[Condition, ...]


Leaf: TypeAlias = Compare | OneOf | Known
Condition: TypeAlias = Compare | OneOf | Known | And | Or

_OPPOSITES: dict[Operator, Operator] = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def opposite(condition: Condition) -> Condition:
    """What ``not`` makes of a condition: the negation is pushed down to the leaves."""
    match condition:
        case Compare(column, op, value):
            return Compare(column, _OPPOSITES[op], value)
        case OneOf() | Known():
            return replace(condition, negated=not condition.negated)
        case And(parts):
            return Or(tuple(map(opposite, parts)))
        case Or(parts):
            return And(tuple(map(opposite, parts)))


def leaves(condition: Condition) -> Iterator[Leaf]:
    """The comparisons of a condition, from left to right."""
    if isinstance(condition, And | Or):
        for part in condition.parts:
            yield from leaves(part)
    else:
        yield condition
