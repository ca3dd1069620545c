"""Shares along a count, with bands: precision by k, accuracy by coverage."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cbir.evaluation.report.charts.scale import count_ticks, share_ticks, tick_text
from cbir.evaluation.report.charts.svg import Attributes, drawing, element, text, titled

_WIDTH, _HEIGHT = 400.0, 268.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 54.0, 14.0, 14.0, 44.0
_MAX_DOTS = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One line over x = 1, 2, ...

    Args:
        name: what it shows.
        values: (n,), shares; NaN is a gap.
        lows: (n,), of the band; empty without one.
        highs: (n,), likewise.
        is_reference: drawn dashed and quiet.
    """

    name: str
    values: Sequence[float]
    lows: Sequence[float] = ()
    highs: Sequence[float] = ()
    is_reference: bool = False


def line_chart(lines: Sequence[Line], *, x_title: str, y_title: str, alt: str) -> str:
    """An SVG chart; its y-axis starts at 0.

    Args:
        lines: of the same length, at least 1.
        x_title: of the axis of counts.
        y_title: of the axis of shares.
        alt: the chart in words.
    """
    n = max(len(line.values) for line in lines)
    highest = max((v for line in lines for v in (*line.values, *line.highs) if not math.isnan(v)), default=1)
    ticks = share_ticks(highest)
    room = _Room(n, ticks[-1])
    return drawing(
        _WIDTH,
        _HEIGHT,
        alt,
        *(_level(tick, room) for tick in ticks),
        *(_count(tick, room) for tick in count_ticks(n)),
        text(x_title, (_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 6, "middle", {"class": "axis-title"}),
        element(
            "g",
            {"transform": f"translate(11 {(_TOP + _HEIGHT - _BOTTOM) / 2:g}) rotate(-90)"},
            text(y_title, 0, 0, "middle", {"class": "axis-title"}),
        ),
        *(_band(line, room) for line in lines if len(line.lows)),
        *(_line(line, room) for line in sorted(lines, key=lambda line: not line.is_reference)),
    )


@dataclass(frozen=True, slots=True)
class _Room:
    n: int
    top: float

    def x(self, place: int) -> float:
        """Of a place from 0; a single one is in the middle."""
        share = place / (self.n - 1) if self.n > 1 else 0.5
        return _LEFT + 8 + share * (_WIDTH - _LEFT - _RIGHT - 16)

    def y(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - value / self.top * (_HEIGHT - _TOP - _BOTTOM)


def _level(tick: float, room: _Room) -> str:
    y = room.y(tick)
    rule: Attributes = {"class": "grid", "x1": _LEFT, "x2": _WIDTH - _RIGHT, "y1": y, "y2": y}
    return element("line", rule) + text(tick_text(tick), _LEFT - 6, y + 4, "end")


def _count(tick: int, room: _Room) -> str:
    return text(str(tick), room.x(tick - 1), _HEIGHT - _BOTTOM + 17, "middle")


def _band(line: Line, room: _Room) -> str:
    there = [
        place
        for place, (low, high) in enumerate(zip(line.lows, line.highs, strict=True))
        if not math.isnan(low + high)
    ]
    if not there:
        return ""
    edge = [(room.x(place), room.y(line.highs[place])) for place in there]
    edge += [(room.x(place), room.y(line.lows[place])) for place in reversed(there)]
    if len(there) == 1:
        (x, high), (_, low) = edge
        return element("line", {"class": "whisker", "x1": x, "x2": x, "y1": high, "y2": low})
    return element("polygon", {"class": "band", "points": _points(edge)})


def _line(line: Line, room: _Room) -> str:
    there = [place for place, value in enumerate(line.values) if not math.isnan(value)]
    along = [(room.x(place), room.y(line.values[place])) for place in there]
    drawn = element(
        "polyline", {"class": "reference" if line.is_reference else "line", "points": _points(along)}
    )
    if line.is_reference and len(there) > 1:
        return drawn
    if line.is_reference:
        return "".join(
            element("line", {"class": "reference", "x1": x - 12, "x2": x + 12, "y1": y, "y2": y})
            for x, y in along
        )
    if len(there) > _MAX_DOTS:
        return drawn
    dots = (
        element(
            "circle",
            {"class": "dot", "cx": x, "cy": y, "r": 3.2},
            titled(f"{line.name} at {place + 1}: {line.values[place]:.3f}"),
        )
        for place, (x, y) in zip(there, along, strict=True)
    )
    return drawn + "".join(dots)


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
