"""Numbers as JSON can say them."""

from __future__ import annotations

import math

from cbir.evaluation.intervals import Interval


def plain_number(value: float | None) -> float | None:
    """The number; None where it is NaN."""
    return None if value is None or math.isnan(value) else value


def plain_ends(interval: Interval | None) -> list[float] | None:
    """The two ends; None where there is no interval."""
    return None if interval is None else [interval.low, interval.high]
