"""Lines over two axes: ROC, reliability, net benefit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from cbir.evaluation.report.charts.scale import tick_text
from cbir.evaluation.report.charts.svg import Attributes, drawing, element, text, titled

SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Ticks of an axis from 0 to 1."""

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 400.0, 54.0, 14.0, 14.0, 44.0
_SMALLEST, _LARGEST = 2.4, 14.0

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Trace:
    """One line.

    Args:
        name: what it shows.
        points: x and y of each, x ascending; what lies below the lowest tick is cut off.
        kind: how it is drawn: "line", "reference" dashed and quiet, or "slot0" to "slot9", each its own.
        dots: for each point how large a share of all it stands for; empty draws none.
    """

    name: str
    points: Points
    kind: str = "line"
    dots: Sequence[float] = ()


def plane(
    traces: Sequence[Trace],
    *,
    x_title: str,
    y_title: str,
    alt: str,
    y_ticks: Sequence[float] = SHARES,
    height: float = 340.0,
) -> str:
    """An SVG chart; its axis to the right is of shares.

    Args:
        traces: references are drawn below the others.
        x_title: of the axis to the right.
        y_title: of the axis upwards.
        alt: the chart in words.
        y_ticks: ascending; the axis ends at the first and the last.
        height: of the drawing, which is 400 wide.
    """
    room = _Room(y_ticks[0], y_ticks[-1], height)
    middle = _TOP + (height - _TOP - _BOTTOM) / 2
    return drawing(
        _WIDTH,
        height,
        alt,
        *(_level(tick, room) for tick in y_ticks),
        *(text(tick_text(tick), room.x(tick), height - _BOTTOM + 17, "middle") for tick in SHARES),
        text(x_title, (room.x(0) + room.x(1)) / 2, height - 6, "middle", {"class": "axis-title"}),
        element(
            "g",
            {"transform": f"translate(11 {middle:g}) rotate(-90)"},
            text(y_title, 0, 0, "middle", {"class": "axis-title"}),
        ),
        *(_trace(trace, room) for trace in sorted(traces, key=lambda each: each.kind != "reference")),
    )


def trace_swatch(kind: str) -> str:
    """What a legend shows of a line."""
    line = element("line", {"class": _class(kind), "x1": 1, "x2": 21, "y1": 7, "y2": 7})
    return drawing(22, 14, "", line).replace("<svg ", '<svg class="swatch" aria-hidden="true" ', 1)


@dataclass(frozen=True, slots=True)
class _Room:
    low: float
    high: float
    height: float

    def x(self, share: float) -> float:
        return _LEFT + 8 + share * (_WIDTH - _LEFT - _RIGHT - 16)

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.height - _BOTTOM - share * (self.height - _TOP - _BOTTOM)


def _class(kind: str) -> str:
    return f"line {kind}" if kind.startswith("slot") else kind


def _level(tick: float, room: _Room) -> str:
    y = room.y(tick)
    rule: Attributes = {"class": "grid", "x1": _LEFT, "x2": _WIDTH - _RIGHT, "y1": y, "y2": y}
    return element("line", rule) + text(tick_text(tick), _LEFT - 6, y + 4, "end")


def _trace(trace: Trace, room: _Room) -> str:
    lines = (
        element(
            "polyline",
            {
                "class": _class(trace.kind),
                "points": " ".join(f"{room.x(x):.2f},{room.y(y):.2f}" for x, y in piece),
            },
            titled(trace.name),
        )
        for piece in _above(trace.points, room.low)
    )
    dots = (
        element(
            "circle",
            {"class": "dot", "cx": room.x(x), "cy": room.y(y), "r": max(_LARGEST * share**0.5, _SMALLEST)},
            titled(f"{trace.name}: {x:.3f}, {y:.3f}"),
        )
        for (x, y), share in zip(trace.points, trace.dots, strict=False)
    )
    return "".join((*lines, *dots))


def _above(points: Points, low: float) -> list[list[tuple[float, float]]]:
    """The pieces of a line that do not lie below ``low``, cut where it crosses."""
    pieces: list[list[tuple[float, float]]] = [[points[0]]] if points[0][1] >= low else []
    for (x, y), (next_x, next_y) in pairwise(points):
        crossing = (x + (next_x - x) * (low - y) / (next_y - y), low) if (y < low) != (next_y < low) else None
        if crossing and y < low:
            pieces.append([crossing])
        elif crossing:
            pieces[-1].append(crossing)
        if next_y >= low:
            pieces[-1].append((next_x, next_y))
    return [piece for piece in pieces if len(piece) > 1]
