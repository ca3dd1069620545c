"""Several measures of one thing at once, each on an axis of its own from the middle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cbir.evaluation.report.charts.svg import Attributes, drawing, element, text, titled

_WIDTH, _HEIGHT, _REACH = 400.0, 316.0, 128.0
_RINGS = (0.25, 0.5, 0.75, 1.0)
_LABEL_GAP = 14.0
_LEVEL = 0.3
"""How far from the vertical, as a share of the reach, words stand beside a corner, not above it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is shown of one thing.

    Args:
        name: of it.
        values: one an axis; below 0 and NaN are drawn as 0.
        is_reference: drawn dashed and quiet.
    """

    name: str
    values: Sequence[float]
    is_reference: bool = False


def radar(axes: Sequence[str], shapes: Sequence[Shape], *, alt: str) -> str:
    """An SVG chart; every axis goes from 0 in the middle to 1.

    Args:
        axes: names, three or more, clockwise from the top.
        shapes: with as many values; references are drawn below the others.
        alt: the chart in words.
    """
    n = len(axes)
    rings = (element("polygon", {"class": "ring", "points": _points([ring] * n)}) for ring in _RINGS)
    spokes = (_spoke(place, n) for place in range(n))
    numbers = (text(f"{ring:g}", _WIDTH / 2 + 4, _at(ring, 0, n)[1] + 11) for ring in _RINGS[1::2])
    drawn = (_shape(shape, axes) for shape in sorted(shapes, key=lambda each: not each.is_reference))
    names = (_name(name, place, n) for place, name in enumerate(axes))
    return drawing(_WIDTH, _HEIGHT, alt, *rings, *spokes, *numbers, *drawn, *names)


def _at(value: float, place: int, n: int) -> tuple[float, float]:
    angle = 2 * math.pi * place / n
    reach = _REACH * value
    return _WIDTH / 2 + reach * math.sin(angle), _HEIGHT / 2 - reach * math.cos(angle)


def _points(values: Sequence[float]) -> str:
    corners = (_at(value, place, len(values)) for place, value in enumerate(values))
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in corners)


def _spoke(place: int, n: int) -> str:
    (x1, y1), (x2, y2) = _at(0, place, n), _at(1, place, n)
    return element("line", {"class": "grid", "x1": x1, "y1": y1, "x2": x2, "y2": y2})


def _shape(shape: Shape, axes: Sequence[str]) -> str:
    shown = [0.0 if math.isnan(value) else min(max(value, 0.0), 1.0) for value in shape.values]
    kind = "reference" if shape.is_reference else "shape"
    outline = element("polygon", {"class": kind, "points": _points(shown)}, titled(shape.name))
    if shape.is_reference:
        return outline
    return outline + "".join(
        _corner(f"{axis}: {value:.3f}", _at(reach, place, len(shown)))
        for place, (axis, value, reach) in enumerate(zip(axes, shape.values, shown, strict=True))
    )


def _corner(words: str, where: tuple[float, float]) -> str:
    place: Attributes = {"class": "dot", "cx": where[0], "cy": where[1], "r": 3.2}
    return element("circle", place, titled(words))


def _name(words: str, place: int, n: int) -> str:
    x, y = _at(1, place, n)
    side = (x - _WIDTH / 2) / _REACH
    anchor = "middle" if abs(side) < _LEVEL else "start" if side > 0 else "end"
    angle = 2 * math.pi * place / n
    moved = x + _LABEL_GAP * math.sin(angle), y - _LABEL_GAP * math.cos(angle) + 4
    return text(words, *moved, anchor, {"class": "axis-title"})
