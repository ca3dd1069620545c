"""Axes: where the ticks are, and where a value is."""

from __future__ import annotations

import math
from collections.abc import Sequence

_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25)
_MAX_STEPS = 5


def share_ticks(highest: float) -> list[float]:
    """Ticks of an axis of shares, from 0 to the first step at or above ``highest``, at most 1."""
    top = min(max(highest, _STEPS[0]), 1.0)
    step = next((each for each in _STEPS if top / each <= _MAX_STEPS), _STEPS[-1])
    n_steps = math.ceil(round(top / step, 9))
    return [round(number * step, 9) for number in range(n_steps + 1)]


def count_ticks(last: int, most: int = 10) -> list[int]:
    """Ticks of an axis of counts from 1 to ``last``: both ends, and round numbers between."""
    if last <= most:
        return list(range(1, last + 1))
    size = 10 ** math.floor(math.log10(last / most))
    step = next(each for each in (size, 2 * size, 5 * size, 10 * size) if last / each <= most)
    between = [tick for tick in range(step, last, step) if tick > 1 and last - tick >= step / 2]
    return [1, *between, last]


def tick_text(tick: float) -> str:
    """As short as it is exact."""
    return f"{tick:g}"


def tick_places(ticks: Sequence[float]) -> list[tuple[str, float]]:
    """Each tick's text, and its share of the way to the last."""
    return [(tick_text(tick), tick / ticks[-1]) for tick in ticks]
