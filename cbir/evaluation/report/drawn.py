"""The parts of a retrieval report as charts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cbir.evaluation.report.charts import (
    N_SLOTS,
    HeatRow,
    Line,
    Mark,
    bar,
    heatmap,
    line_chart,
    marker,
    scatter,
    share_ticks,
    tick_places,
)
from cbir.evaluation.report.class_bars import ClassBar
from cbir.evaluation.report.confusion import Confusion
from cbir.evaluation.report.curve import Curve
from cbir.evaluation.report.map2d import Map
from cbir.evaluation.report.page import number, span
from cbir.evaluation.summary import Summary


@dataclass(frozen=True, slots=True)
class DrawnMap:
    """A map and its legend: marker, label, how many are shown."""

    chart: str
    legend: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class DrawnBars:
    """Classes with their strips, and the axis of all: text and place of each tick."""

    strips: tuple[tuple[ClassBar, str], ...]
    axis: tuple[tuple[str, float], ...]


def headline_strip(summary: Summary) -> str:
    """Macro P@k beside chance."""
    found = summary.rows["precision"].macro
    marks = [
        Mark(name, value, kind)
        for name, value, kind in (
            ("random", found.random, "random"),
            (f"always {summary.majority}", found.majority, "majority"),
        )
        if value is not None
    ]
    ends = None if found.interval is None else (found.interval.low, found.interval.high)
    said = (
        f"macro P@{summary.k} {number(found.value)}, 95 % interval {span(found.interval)}, random "
        f"{number(found.random)}, constant majority {number(found.majority)}"
    )
    return bar(found.value, ends, marks, alt=said)


def curve_chart(curve: Curve) -> str:
    """P@k by k."""
    lows = [math.nan if each is None else each.low for each in curve.intervals]
    highs = [math.nan if each is None else each.high for each in curve.intervals]
    first, last = number(curve.values[0]), number(curve.values[-1])
    return line_chart(
        [Line("macro P@k", curve.values, lows, highs), Line("random", curve.random, is_reference=True)],
        x_title="k, number of hits",
        y_title="macro P@k",
        alt=f"macro P@k from {first} at k = 1 to {last} at k = {len(curve.values)}; "
        f"random {number(curve.random[-1])}",
    )


def class_strips(shown: Sequence[ClassBar], k: int) -> DrawnBars:
    """P@k of classes, on one scale."""
    ends = [bar.interval.high for bar in shown if bar.interval is not None]
    values = [value for bar in shown for value in (bar.value, bar.random) if not math.isnan(value)]
    ticks = share_ticks(max([*ends, *values], default=1.0))
    return DrawnBars(tuple((each, _strip(each, k, ticks[-1])) for each in shown), tuple(tick_places(ticks)))


def heatmap_of(confusion: Confusion) -> str:
    """Labels of hits by the query's."""
    rows = [
        HeatRow(name, shares)
        for name, shares in zip(confusion.classes, confusion.shares.tolist(), strict=False)
    ]
    return heatmap(
        rows,
        confusion.classes,
        row_title="label of the query",
        column_title="label of the hits",
        alt=f"shares of the hits' labels for {len(rows)} labels of queries; as a table below",
        beside=HeatRow("gallery", confusion.gallery.tolist()),
    )


def map_chart(shown: Map, classes: Sequence[str]) -> DrawnMap:
    """Items on a plane; beyond ten labels the nine most frequent have a colour, the rest share one."""
    counts = np.bincount(shown.codes, minlength=len(classes))
    present = np.flatnonzero(counts)
    named = present
    if len(present) > N_SLOTS:
        most = np.argsort(-counts, kind="stable")[: N_SLOTS - 1]
        named = np.sort(most)
    slot_of = np.full(len(classes), N_SLOTS - 1)
    slot_of[named] = np.arange(len(named))
    slots = slot_of[shown.codes].tolist()
    legend = [(marker(slot), classes[code], int(counts[code])) for slot, code in enumerate(named.tolist())]
    if len(named) < len(present):
        n_other = int(counts.sum() - counts[named].sum())
        legend.append((marker(N_SLOTS - 1), f"{len(present) - len(named)} other labels", n_other))
    chart = scatter(
        shown.points,
        slots,
        lambda row: f"{classes[shown.codes[row]]}, {shown.ids[row]}",
        alt=f"{len(shown.ids)} items on a plane by the likeness of their embeddings, coloured by label",
    )
    return DrawnMap(chart, tuple(legend))


def _strip(shown: ClassBar, k: int, top: float) -> str:
    ends = None if shown.interval is None else (shown.interval.low, shown.interval.high)
    said = f"P@{k} of {shown.label}: {number(shown.value)}, random {number(shown.random)}"
    return bar(shown.value, ends, [Mark("random", shown.random)], alt=said, top=top)
