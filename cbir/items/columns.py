"""Text cells to values, one type a column."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbir.types import Scalar

_INTEGER = r"[+-]?(0|[1-9][0-9]{0,17})"
_FLOAT = r"[+-]?(0|[1-9][0-9]*)?(\.[0-9]+|(?<=[0-9])\.)?([eE][+-]?[0-9]{1,2})?"

_TYPES: tuple[tuple[re.Pattern[str], Callable[[str], Scalar]], ...] = (
    (re.compile(r"true|false", re.IGNORECASE), lambda cell: cell.lower() == "true"),
    (re.compile(_INTEGER), int),
    (re.compile(rf"{_INTEGER}|(?=[+-]?\.?[0-9])(?![+-]?[0-9]+$){_FLOAT}"), float),
)


def typed_column(cells: Sequence[str]) -> list[Scalar]:
    """Give a column the narrowest of bool, int, float and text that fits all of its cells; empty is None.

    Digits that lose something as a number stay text: ``007``, or more than 18 digits.
    """
    stripped = [cell.strip() for cell in cells]
    filled = [cell for cell in stripped if cell]
    for form, convert in _TYPES:
        if filled and all(form.fullmatch(cell) for cell in filled):
            return [convert(cell) if cell else None for cell in stripped]
    return [cell or None for cell in stripped]
