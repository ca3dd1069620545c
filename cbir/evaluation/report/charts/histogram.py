"""How two kinds of things spread over the same bins, one upwards, the other downwards."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from cbir.evaluation.report.charts.svg import Attributes, drawing, element, text, titled

_WIDTH, _HALF, _LEFT, _RIGHT, _TOP, _BOTTOM = 400.0, 56.0, 8.0, 8.0, 6.0, 20.0
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


def histogram(upper: Sequence[float], lower: Sequence[float], *, names: tuple[str, str], alt: str) -> str:
    """An SVG chart over 0 to 1 in equal bins; each half is as high as its own fullest bin.

    Args:
        upper: (n_bins,), shares; NaN draws nothing.
        lower: (n_bins,), likewise.
        names: of the two, for a pointer over a bin.
        alt: the chart in words.
    """
    middle = _TOP + _HALF
    width = (_WIDTH - _LEFT - _RIGHT) / len(upper)

    def bars(shares: Sequence[float], name: str, kind: str, *, is_up: bool) -> Iterator[str]:
        most = max((share for share in shares if not math.isnan(share)), default=1.0)
        for place, share in enumerate(shares):
            if not share > 0:  # nothing of none, and of NaN
                continue
            height = _HALF * share / most
            where: Attributes = {
                "class": kind,
                "x": _LEFT + place * width + 0.5,
                "y": middle - height if is_up else middle,
                "width": width - 1,
                "height": height,
            }
            between = f"{place / len(shares):.2f} – {(place + 1) / len(shares):.2f}"
            yield element("rect", where, titled(f"{name}, {between}: {share:.3f}"))

    line: Attributes = {"class": "grid", "x1": _LEFT, "x2": _WIDTH - _RIGHT, "y1": middle, "y2": middle}
    bottom = middle + _HALF
    return drawing(
        _WIDTH,
        bottom + _BOTTOM,
        alt,
        *bars(upper, names[0], "bar own", is_up=True),
        *bars(lower, names[1], "bar rest", is_up=False),
        element("line", line),
        *(_tick(tick, bottom) for tick in _TICKS),
    )


def _tick(tick: float, bottom: float) -> str:
    place = "start" if tick == 0 else "end" if tick == 1 else "middle"
    return text(f"{tick:g}", _LEFT + tick * (_WIDTH - _LEFT - _RIGHT), bottom + 14, place)
