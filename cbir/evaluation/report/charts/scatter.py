"""Points on a plane, each class its own colour and shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.report.charts.svg import drawing, element, titled

N_SLOTS = 10
"""How many classes can be told apart."""

_SIDE, _EDGE = 400.0, 10.0
_SMALL, _LARGE = 2.6, 4.4
_FEW, _MANY = 150, 1500


def scatter(
    points: NDArray[np.float64], slots: Sequence[int], names: Callable[[int], str], *, alt: str
) -> str:
    """An SVG chart without axes: only the distances mean something.

    Args:
        points: (n, 2), n >= 1; drawn with equal scales.
        slots: (n,), of the colour and shape, from 0 to ``N_SLOTS`` - 1.
        names: of a point, by its row.
        alt: the chart in words.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    reach = float(max(high - low)) or 1.0
    placed = (points - (low + high) / 2) / reach * (_SIDE - 2 * _EDGE) + _SIDE / 2
    height = float(max((high[1] - low[1]) / reach * (_SIDE - 2 * _EDGE) + 2 * _EDGE, _SIDE / 2))
    placed[:, 1] -= (_SIDE - height) / 2
    radius = float(np.interp(len(points), (_FEW, _MANY), (_LARGE, _SMALL)))
    dots = (
        _marker(slot, x, y, radius, titled(names(row)))
        for row, ((x, y), slot) in enumerate(zip(placed.tolist(), slots, strict=True))
    )
    return drawing(_SIDE, height, alt, *dots)


def marker(slot: int) -> str:
    """The colour and shape of a slot, for a legend."""
    drawn = drawing(14, 14, "", _marker(slot, 7, 7, 4.6))
    return drawn.replace("<svg ", '<svg class="swatch" aria-hidden="true" ', 1)


def _marker(slot: int, x: float, y: float, radius: float, *children: str) -> str:
    r, style = radius, {"class": f"point c{slot}"}
    if slot in _CORNERS:
        corners = " ".join(f"{x + r * dx:.1f},{y + r * dy:.1f}" for dx, dy in _CORNERS[slot])
        return element("polygon", {**style, "points": corners}, *children)
    return element("circle", {**style, "cx": round(x, 1), "cy": round(y, 1), "r": r}, *children)


def _star(n: int, inner: float) -> list[tuple[float, float]]:
    angles = np.arange(2 * n) * np.pi / n - np.pi / 2
    reach = np.where(np.arange(2 * n) % 2, inner, 1.25)
    return [
        (float(r * np.cos(angle)), float(r * np.sin(angle))) for r, angle in zip(reach, angles, strict=True)
    ]


_PLUS = [(-0.4, -1.1), (0.4, -1.1), (0.4, -0.4), (1.1, -0.4), (1.1, 0.4), (0.4, 0.4)]
_PLUS += [(-dx, -dy) for dx, dy in _PLUS]
_CORNERS = {
    1: [(0.0, -1.2), (1.1, 0.85), (-1.1, 0.85)],
    2: [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
    3: [(0.0, -1.3), (1.1, 0.0), (0.0, 1.3), (-1.1, 0.0)],
    4: _PLUS,
    5: [(0.0, 1.2), (1.1, -0.85), (-1.1, -0.85)],
    6: _star(5, 0.5),
    7: [((dx - dy) * 0.75, (dx + dy) * 0.75) for dx, dy in _PLUS],
    8: [(-1.2, -0.55), (1.2, -0.55), (1.2, 0.55), (-1.2, 0.55)],
}
