"""A condition as text, as ``parse_where`` reads it."""

from __future__ import annotations

import re

from cbir.items.where.condition import And, Compare, Condition, Known, OneOf, Or, Scalar

_BARE = re.compile(r"[^\W\d][\w.-]*")
_KEYWORDS = frozenset({"and", "or", "not", "in", "between", "is", "null", "true", "false"})


def written(condition: Condition) -> str:
    """The condition in its one plain form: no ``between``, ``not`` at the comparisons alone."""
    match condition:
        case Compare(column, op, value):
            return f"{written_column(column)} {op} {written_value(value)}"
        case OneOf(column, values, negated):
            listed = ", ".join(map(written_value, values))
            return f"{written_column(column)} {'not ' if negated else ''}in ({listed})"
        case Known(column, negated):
            return f"{written_column(column)} is {'' if negated else 'not '}null"
        case And(parts):
            return " and ".join(map(_part, parts))
        case Or(parts):
            return " or ".join(map(_part, parts))


def written_column(column: str) -> str:
    """Its name, in double quotes where it needs them."""
    is_bare = _BARE.fullmatch(column) and column.lower() not in _KEYWORDS
    return column if is_bare else '"' + column.replace('"', '""') + '"'


def written_value(value: Scalar) -> str:
    """The value, text in single quotes."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value).lower()


def _part(condition: Condition) -> str:
    return f"({written(condition)})" if isinstance(condition, And | Or) else written(condition)
