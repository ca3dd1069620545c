"""Numbers as a reader of a page wants them."""

from __future__ import annotations

import math

from cbir.evaluation.intervals import Interval


def number(value: float | None) -> str:
    """Three decimals; nothing of None, a dash of NaN."""
    return "" if value is None else "–" if math.isnan(value) else f"{value:.3f}"


def span(interval: Interval | None) -> str:
    """Both ends; a dash where there is no interval."""
    return "–" if interval is None else f"{number(interval.low)} – {number(interval.high)}"
