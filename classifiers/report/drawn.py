"""The parts of a classifier's report as charts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.report.charts import (
    HeatRow,
    Mark,
    Shape,
    Trace,
    bar,
    heatmap,
    histogram,
    plane,
    radar,
)
from cbir.evaluation.report.confusion import Confusion
from cbir.evaluation.report.page import number, span
from cbir.evaluation.summary import Estimate
from classifiers.evaluation.curves import Bin, Roc
from classifiers.measures import SIX
from classifiers.measures.titles import TITLES
from classifiers.report.report import OfClass

_MAX_POINTS = 300
_STEPS = (0.05, 0.1, 0.2, 0.25)


def headline_strip(title: str, found: Estimate, majority: str) -> str:
    """A measure beside chance."""
    marks = [
        Mark(name, value, kind)
        for name, value, kind in (
            ("random", found.random, "random"),
            (f"always {majority}", found.majority, "majority"),
        )
        if value is not None
    ]
    ends = None if found.interval is None else (found.interval.low, found.interval.high)
    said = (
        f"{title} {number(found.value)}, 95 % interval {span(found.interval)}, random "
        f"{number(found.random)}, constant majority {number(found.majority)}"
    )
    return bar(found.value, ends, marks, alt=said)


def six_measures(measures: Mapping[str, Estimate]) -> str:
    """The six measures that are 1 at their best, and what is random."""
    values = [measures[name].value for name in SIX]
    randoms = [measures[name].random or 0.0 for name in SIX]
    said = ", ".join(f"{TITLES[name]} {number(measures[name].value)}" for name in SIX)
    shapes = [Shape("this classifier", values), Shape("random", randoms, is_reference=True)]
    return radar([TITLES[name.removeprefix("macro_")] for name in SIX], shapes, alt=said)


def confusion_chart(confusion: Confusion) -> str:
    """Answers by label."""
    rows = [
        HeatRow(name, shares)
        for name, shares in zip(confusion.classes, confusion.shares.tolist(), strict=False)
    ]
    return heatmap(
        rows,
        confusion.classes,
        row_title="label of the image",
        column_title="answer",
        alt=f"shares of the answers for images of {len(rows)} labels; as a table below",
        beside=HeatRow("all images", confusion.gallery.tolist()),
    )


def roc_chart(shown: Sequence[OfClass]) -> str:
    """Sensitivity by 1 - specificity, a line a class."""
    traces = [Trace(each.label, _thinned(each.roc), f"slot{slot}") for slot, each in enumerate(shown)]
    return plane(
        [Trace("chance", [(0, 0), (1, 1)], "reference"), *traces],
        x_title="1 − specificity",
        y_title="sensitivity",
        alt=f"ROC curves of {len(shown)} classes against the rest; their areas are in the table by class",
    )


def reliability_chart(bins: Sequence[Bin]) -> str:
    """How often answers of a probability are right."""
    n = sum(each.n_images for each in bins)
    line = Trace(
        "probability, share right",
        [(each.probability, each.right) for each in bins],
        dots=[each.n_images / n for each in bins],
    )
    return plane(
        [Trace("calibrated", [(0, 0), (1, 1)], "reference"), line],
        x_title="probability of the answer",
        y_title="share of answers that are right",
        alt=f"shares of right answers in {len(bins)} bins of probability; as a table below",
    )


def decision_chart(shown: OfClass) -> str:
    """Net benefit of acting on a class."""
    found = shown.decision
    top = max(float(found.model.max()), float(found.everybody.max()), 0.0)
    ticks = _benefit_ticks(top)
    thresholds = found.thresholds.tolist()
    nobody = Trace("nobody", [(0, 0), (1, 0)], "reference nobody")
    everybody = Trace("everybody", list(zip(thresholds, found.everybody.tolist(), strict=True)), "reference")
    return plane(
        [everybody, nobody, Trace(shown.label, list(zip(thresholds, found.model.tolist(), strict=True)))],
        x_title="probability from which one acts",
        y_title="net benefit",
        alt=f"net benefit of acting on {shown.label}, against acting on everybody and on nobody",
        y_ticks=ticks,
        height=240.0,
    )


def distribution_chart(shown: OfClass) -> str:
    """How probable a class was said to be, of its images and of others."""
    own, others = shown.distribution.own, shown.distribution.others
    names = f"images of {shown.label}", "other images"
    said = f"probability of {shown.label}: upwards its {shown.n_images} images, downwards all others"
    return histogram(own.tolist(), others.tolist(), names=names, alt=said)


def _thinned(roc: Roc) -> list[tuple[float, float]]:
    """Its corners; of very many every so many-th: a drawing shows no more."""
    points: NDArray[np.float64] = np.stack([roc.false_rates, roc.true_rates], axis=1)
    steps = np.diff(points, axis=0)
    straight = np.isclose(steps[1:, 0] * steps[:-1, 1], steps[:-1, 0] * steps[1:, 1], atol=1e-15)
    points = points[np.concatenate([[True], ~straight, [True]])]
    kept = np.unique(np.linspace(0, len(points) - 1, min(len(points), _MAX_POINTS)).round().astype(int))
    return [(x, y) for x, y in points[kept].tolist()]


def _benefit_ticks(top: float) -> list[float]:
    """From one step below 0 to the first at or above ``top``, four or fewer of them above 0."""
    step = next((each for each in _STEPS if top / each <= 4), _STEPS[-1])  # noqa: PLR2004 - ticks
    return [round(place * step, 9) for place in range(-1, max(math.ceil(round(top / step, 9)), 1) + 1)]
