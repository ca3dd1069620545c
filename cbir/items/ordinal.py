"""Labels with an order: BI-RADS, density, grade."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)


def label_order(labels: Iterable[str]) -> tuple[str, ...] | None:
    """Infer an order: the distinct labels by value when all are whole numbers, else None.

    Distances between grades are distances in this tuple: with 1, 2 and 5 present, 2 and 5 are neighbours.
    """
    distinct = set(labels)
    if not distinct or not all(_INTEGER.fullmatch(label) for label in distinct):
        return None
    return tuple(sorted(distinct, key=lambda label: (int(label), label)))
