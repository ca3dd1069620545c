"""A condition from its text; lark (60 ms) is imported with the first."""

from __future__ import annotations

import math
import re
from functools import cache
from typing import TYPE_CHECKING, cast

from cbir.errors import WhereError
from cbir.items.where.condition import And, Compare, Condition, Known, OneOf, Operator, Or, Scalar, opposite
from cbir.items.where.mistakes import mistake

if TYPE_CHECKING:
    from lark import Lark

_MAX_CHARACTERS = 200_000
_MAX_DEPTH = 50
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_SAME: dict[str, Operator] = {"==": "=", "<>": "!="}

_GRAMMAR = r"""
condition: both (_OR both)*              -> either
both: negation (_AND negation)*
negation: NOT* (leaf | "(" condition ")")
?leaf: column COMPARISON value           -> compare
    | column _IN _values                 -> one_of
    | column NOT _IN _values             -> none_of
    | column _BETWEEN value _AND value   -> between
    | column NOT _BETWEEN value _AND value -> not_between
    | column _IS NOT _NULL               -> known
    | column _IS _NULL                   -> unknown
_values: "(" value ("," value)* ")"
column: NAME | QUOTED_NAME
value: TEXT | NUMBER | TRUE | FALSE

_OR.1: /or(?![\w.-])/i
_AND.1: /and(?![\w.-])/i
NOT.1: /not(?![\w.-])/i
_IN.1: /in(?![\w.-])/i
_BETWEEN.1: /between(?![\w.-])/i
_IS.1: /is(?![\w.-])/i
_NULL.1: /null(?![\w.-])/i
TRUE.1: /true(?![\w.-])/i
FALSE.1: /false(?![\w.-])/i
COMPARISON: /<=|>=|<>|!=|==|=|<|>/
NAME: /[^\W\d][\w.-]*/
QUOTED_NAME: /"([^"]|"")+"/
TEXT: /'([^']|'')*'/
NUMBER: /[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?(?![\w.-])/i
%ignore /\s+/
"""


def parse_where(text: str) -> Condition:
    """Read a condition such as ``view = 'MLO' and density in ('C', 'D') and not age < 50``.

    Args:
        text: ``= == != <> < <= > >=``, ``in``, ``between``, ``is null``, each with ``not``; ``and``, ``or``,
            ``not`` and parentheses. Text stands in single quotes, a quote in it is doubled; columns stand
            bare, or in double quotes.

    Raises:
        WhereError: it can't be understood; says where.
    """
    from lark import UnexpectedInput

    if len(text) > _MAX_CHARACTERS:
        raise WhereError(
            f"The condition has {len(text)} characters, at most {_MAX_CHARACTERS} are read. "
            "Give the items a column that says the same, and ask for that."
        )
    if (depth := _depth(text)) > _MAX_DEPTH:
        raise WhereError(f"The condition has {depth} parentheses in one another, at most {_MAX_DEPTH}.")
    try:
        return cast("Condition", _parser().parse(text))
    except UnexpectedInput as error:
        raise mistake(text, error) from None


@cache
def _parser() -> Lark:
    from lark import Lark

    return Lark(_GRAMMAR, parser="lalr", start="condition", transformer=_Build())


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in _QUOTED.sub("", text):
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    return deepest


class _Build:
    """What each rule of the grammar becomes, from what its parts became."""

    def either(self, parts: list[Condition]) -> Condition:
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def both(self, parts: list[Condition]) -> Condition:
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def negation(self, parts: list[Condition]) -> Condition:
        *negations, condition = parts
        return opposite(condition) if len(negations) % 2 else condition

    def compare(self, parts: tuple[str, str, Scalar]) -> Condition:
        column, sign, value = parts
        return Compare(column, _SAME.get(sign) or cast("Operator", str(sign)), value)

    def one_of(self, parts: list[Scalar]) -> Condition:
        column, *values = parts
        return OneOf(str(column), tuple(values))

    def none_of(self, parts: list[Scalar]) -> Condition:
        column, _, *values = parts
        return OneOf(str(column), tuple(values), negated=True)

    def between(self, parts: list[Scalar]) -> Condition:
        column, low, high = parts
        return And((Compare(str(column), ">=", low), Compare(str(column), "<=", high)))

    def not_between(self, parts: list[Scalar]) -> Condition:
        column, _, low, high = parts
        return opposite(self.between([column, low, high]))

    def known(self, parts: list[str]) -> Condition:
        return Known(parts[0])

    def unknown(self, parts: list[str]) -> Condition:
        return Known(parts[0], negated=True)

    def column(self, parts: list[str]) -> str:
        name = str(parts[0])
        return name[1:-1].replace('""', '"') if name.startswith('"') else name

    def value(self, parts: list[str]) -> Scalar:
        text = str(parts[0])
        if text.startswith("'"):
            return text[1:-1].replace("''", "'")
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        if not math.isfinite(number := float(text)):
            raise WhereError(f"The condition compares with {text[:20]}…, which is beyond all numbers.")
        return number if re.search(r"[.e]", text, re.IGNORECASE) else int(text)
