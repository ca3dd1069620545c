"""What is wrong with a text that is no condition, in a line: what is missing, and where."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cbir.errors import WhereError
from cbir.printable import printable

if TYPE_CHECKING:
    from lark import UnexpectedInput

_SHOWN = 30
_UNCLOSED = re.compile(r"'([^']|'')*\Z|\"([^\"]|\"\")*\Z")
_WORDS = {
    "_AND": '"and"',
    "_OR": '"or"',
    "NOT": '"not"',
    "_IN": '"in"',
    "_BETWEEN": '"between"',
    "_NULL": '"null"',
    "COMMA": "a comma",
    "LPAR": "an opening parenthesis",
    "RPAR": "a closing parenthesis",
}


def mistake(text: str, error: UnexpectedInput) -> WhereError:
    """The error for a text that the grammar does not know."""
    from lark import UnexpectedCharacters, UnexpectedToken

    if not text.strip():
        return WhereError("The condition is empty. Write one such as: view = 'MLO' and age >= 50")
    missing: set[str] = set()
    if isinstance(error, UnexpectedCharacters):
        missing = set(error.allowed or ())
    elif isinstance(error, UnexpectedToken):
        missing = set(error.accepts or error.expected)
    at_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    place = len(text.rstrip()) if at_end else error.pos_in_stream or 0
    if _UNCLOSED.match(text, place):
        return WhereError(f"In the condition, the quote at character {place + 1} is not closed.")
    before = text[:place].rstrip()
    shown = printable("…" + before[-_SHOWN:] if len(before) > _SHOWN else before)
    after = f'after "{shown}"' if before else "at the start"
    where = "at the end" if at_end else f"at character {place + 1}"
    return WhereError(f"In the condition, {after} {_missing(missing, text[place:])}, {where}.")


def _missing(names: set[str], rest: str) -> str:
    if "TEXT" in names:
        quoted = " (text stands in single quotes)" if re.match(r"[\w\"+-]", rest) else ""
        return f"a value is missing{quoted}"
    if "NAME" in names:
        return "a column is missing"
    if "COMPARISON" in names:
        return "a comparison is missing (=, !=, <, <=, >, >=, in, between or is null)"
    if rest.startswith(")"):
        return "a parenthesis is closed that was not opened"
    joining = {"_AND", "_OR"}
    words = [_WORDS[name] for name in _WORDS if name in (joining if joining & names else names)]
    return " or ".join(words) + " is missing"
