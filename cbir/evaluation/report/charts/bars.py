"""A share as a strip without words: it stands in a line of text or a table's cell, of any width."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cbir.evaluation.report.charts.svg import Attributes, drawing, element, titled

_MIDDLE = 9.0
_HEIGHT = 2 * _MIDDLE


@dataclass(frozen=True, slots=True)
class Mark:
    """A value to hold against: chance, another system.

    Args:
        name: in words.
        value: a share.
        kind: of the drawing: "random" dashed, "majority" dotted.
    """

    name: str
    value: float
    kind: str = "random"


def bar(
    value: float,
    interval: tuple[float, float] | None,
    marks: Sequence[Mark] = (),
    *,
    alt: str,
    top: float = 1.0,
) -> str:
    """An SVG strip from 0 to ``top``: the value filled, its interval a whisker, others as lines across.

    Args:
        value: a share; NaN draws no bar.
        interval: low and high.
        marks: what it is held against.
        alt: the strip in words.
        top: the share at its right end.
    """
    rail: Attributes = {"class": "rail", "x": 0, "y": 4, "width": "100%", "height": _HEIGHT - 8, "rx": 2}
    parts = [element("rect", rail)]
    if not math.isnan(value):
        parts.append(element("rect", {**rail, "class": "bar", "width": _at(value / top)}, titled(alt)))
    parts += [_mark(mark, top) for mark in marks if not math.isnan(mark.value)]
    if interval is not None:
        parts += _whisker(interval[0] / top, interval[1] / top)
    frame: Attributes = {
        "class": "strip",
        "role": "img",
        "aria-label": alt,
        "width": "100%",
        "height": _HEIGHT,
    }
    return element("svg", frame, *parts)


def swatch(kind: str) -> str:
    """What a legend shows: bar, band, line, random, majority or whisker."""
    y = 7.0
    across: Attributes = {"class": kind, "x1": 1, "x2": 21, "y1": y, "y2": y}
    shapes = {
        "bar": element("rect", {"class": "bar", "x": 1, "y": 2, "width": 20, "height": 10, "rx": 2}),
        "band": element("rect", {"class": "band", "x": 1, "y": 1, "width": 20, "height": 12}),
        "line": element("line", across) + element("circle", {"class": "dot", "cx": 11, "cy": y, "r": 3.2}),
        "reference": element("line", across),
        "random": element("line", {"class": "mark random", "x1": 11, "x2": 11, "y1": 0, "y2": 14}),
        "majority": element("line", {"class": "mark majority", "x1": 11, "x2": 11, "y1": 0, "y2": 14}),
        "whisker": element("line", {**across, "class": "whisker"}),
    }
    # Beside its name: nothing to be read out.
    return drawing(22, 14, "", shapes[kind]).replace("<svg ", '<svg class="swatch" aria-hidden="true" ', 1)


def _whisker(low: float, high: float) -> list[str]:
    ends = [
        element(
            "line",
            {"class": "whisker", "x1": _at(end), "x2": _at(end), "y1": _MIDDLE - 3, "y2": _MIDDLE + 3},
        )
        for end in (low, high)
    ]
    along: Attributes = {"class": "whisker", "x1": _at(low), "x2": _at(high), "y1": _MIDDLE, "y2": _MIDDLE}
    return [element("line", along), *ends]


def _mark(mark: Mark, top: float) -> str:
    x = _at(mark.value / top)
    place: Attributes = {"class": f"mark {mark.kind}", "x1": x, "x2": x, "y1": 0, "y2": _HEIGHT}
    return element("line", place, titled(f"{mark.name}: {mark.value:.3f}"))


def _at(share: float) -> str:
    return f"{100 * min(max(share, 0.0), 1.0):.2f}%"
