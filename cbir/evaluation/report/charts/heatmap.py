"""Shares by row and column, as squares of one colour: the fuller, the more; the largest share is full."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cbir.evaluation.report.charts.svg import Attributes, drawing, element, text, titled
from cbir.evaluation.report.charts.words import cut, room

_WIDTH = 400.0
_LETTER = 6.4
_MAX_LABEL = 18
_MIN_FOR_NUMBERS = 25.0
_MIN_FOR_LETTERS = 9.5
_HALF, _FULL = 0.5, 0.8
_GAP = 8.0
_MAX_SIDE = 96.0


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One row: its name and its shares, NaN where there is nothing to share."""

    name: str
    shares: Sequence[float]


def heatmap(
    rows: Sequence[HeatRow],
    columns: Sequence[str],
    *,
    row_title: str,
    column_title: str,
    alt: str,
    beside: HeatRow | None = None,
) -> str:
    """An SVG chart; the square of row and column of the same name is framed.

    Args:
        rows: from the top.
        columns: names.
        row_title: of the axis of rows.
        column_title: of the axis of columns.
        alt: the chart in words.
        beside: a row to hold the others against, drawn apart below them.
    """
    shown = [*rows, *([beside] if beside else [])]
    left = 26 + _LETTER * _longest([row.name for row in shown])
    size = min((_WIDTH - left - 2) / len(columns), _MAX_SIDE)
    unused = (_WIDTH - left - 2 - size * len(columns)) / 2
    left += unused
    is_turned = _LETTER * _longest(columns) > size
    top = 30 + (_LETTER * _longest(columns) if is_turned else 8.0)
    most = _most(shown, columns)
    grid = _Grid(left, top, size, columns, most)
    below = top + size * len(rows)
    height = below + (size + _GAP if beside else 0) + 4
    middle = left + size * len(columns) / 2
    return drawing(
        _WIDTH,
        height,
        alt,
        text(column_title, middle, 12, "middle", {"class": "axis-title"}),
        element(
            "g",
            {"transform": f"translate({unused + 12:.2f} {(top + below) / 2:.2f}) rotate(-90)"},
            text(row_title, 0, 0, "middle", {"class": "axis-title"}),
        ),
        *(grid.column(place, is_turned=is_turned) for place in range(len(columns))),
        *(grid.row(row, top + number * size) for number, row in enumerate(rows)),
        grid.row(beside, below + _GAP) if beside else "",
    )


def _longest(names: Sequence[str]) -> int:
    return max(room(cut(name, _MAX_LABEL)) for name in names)


def _most(rows: Sequence[HeatRow], columns: Sequence[str]) -> float:
    """The largest share, without columns that have no row: a sum of many would pale all others."""
    named = {row.name for row in rows}
    own = [place for place, column in enumerate(columns) if column in named] or range(len(columns))
    there = [row.shares[place] for row in rows for place in own if not math.isnan(row.shares[place])]
    return max(there, default=1.0) or 1.0


@dataclass(frozen=True, slots=True)
class _Grid:
    left: float
    top: float
    size: float
    columns: Sequence[str]
    most: float

    @property
    def letters(self) -> dict[str, str | float]:
        """Squares too small for the page's letters take smaller ones."""
        return {"style": f"font-size:{self.size * 0.9:.1f}px"} if self.size < _MIN_FOR_LETTERS else {}

    def column(self, place: int, *, is_turned: bool) -> str:
        x, name = self.left + (place + 0.5) * self.size, cut(self.columns[place], _MAX_LABEL)
        if not is_turned:
            return text(name, x, self.top - 6, "middle", self.letters)
        where = {"transform": f"translate({x + 4:.2f} {self.top - 5:.2f}) rotate(-90)"}
        return element("g", where, text(name, 0, 0, "start", self.letters))

    def row(self, row: HeatRow, y: float) -> str:
        name = text(cut(row.name, _MAX_LABEL), self.left - 6, y + self.size / 2 + 4, "end", self.letters)
        return name + "".join(
            self._square(row, column, share, self.left + place * self.size, y)
            for place, (column, share) in enumerate(zip(self.columns, row.shares, strict=True))
        )

    def _square(self, row: HeatRow, column: str, share: float, x: float, y: float) -> str:
        there = not math.isnan(share)
        fullness = min(share / self.most, 1.0) if there else 0.0
        said = f"{row.name}, {column}: {f'{share:.3f}' if there else 'nothing'}"
        side = self.size - 1
        place: Attributes = {"x": x + 0.5, "y": y + 0.5, "width": side, "height": side, "rx": 1.5}
        square = element("rect", {**place, "class": "cell-back"})
        filled = {**place, "class": "cell", "fill-opacity": f"{fullness:.3f}"}
        square += element("rect", filled, titled(said))
        if row.name == column:
            square += element("rect", {**place, "class": "same"})
        if self.size < _MIN_FOR_NUMBERS or not there:
            return square
        tone = {"class": "on-full" if fullness > _FULL else "on-half" if fullness > _HALF else "on-little"}
        return square + text(f"{share:.2f}", x + self.size / 2, y + self.size / 2 + 4, "middle", tone)
