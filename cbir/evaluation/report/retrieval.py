"""The page of a retrieval report."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cbir.evaluation.measures import LOWER_IS_BETTER
from cbir.evaluation.report.charts import swatch
from cbir.evaluation.report.confusion import folded
from cbir.evaluation.report.drawn import class_strips, curve_chart, headline_strip, heatmap_of, map_chart
from cbir.evaluation.report.extremes import Asked
from cbir.evaluation.report.page import render_page
from cbir.evaluation.report.report import Report
from cbir.evaluation.summary import Estimate
from cbir.evaluation.titles import title

MAX_CLASSES = 24
"""More do not fit: those with the most queries are shown, the others come folded."""

_TEMPLATE = Path(__file__).parent / "retrieval.html.jinja"
_SWATCHES = ("bar", "band", "line", "reference", "random", "majority", "whisker")


def render_report(report: Report) -> str:
    """One HTML file: pictures and charts inside, nothing fetched, nothing run, every text escaped."""
    kept = _most_asked(report)
    rest = [each for code, each in enumerate(report.bars) if code not in set(kept)]
    n_folded = len(rest)
    confusion = folded(report.confusion, kept, f"{n_folded} other labels")
    drawn = None if report.map is None else map_chart(report.map, report.classes)
    return render_page(
        _TEMPLATE,
        {
            "report": report,
            "provenance": report.provenance,
            "swatches": {kind: swatch(kind) for kind in _SWATCHES},
            "strip": headline_strip(report.summary),
            "curve": curve_chart(report.curve),
            "bars": class_strips([report.bars[code] for code in kept], report.summary.k),
            "more_bars": class_strips(rest, report.summary.k) if rest else None,
            "confusion": confusion,
            "heatmap": heatmap_of(confusion),
            "n_folded": n_folded,
            "map": drawn and drawn.chart,
            "map_legend": drawn.legend if drawn else (),
            "n_mapped": _n_mapped(report),
            "measures": _measures(report),
            "cases": _cases(report),
        },
    )


def _most_asked(report: Report) -> list[int]:
    """Codes in the order of the classes."""
    n_queries = np.array(report.summary.n_queries)
    return sorted(np.argsort(-n_queries, kind="stable")[:MAX_CLASSES].tolist())


def _measures(report: Report) -> list[tuple[str, list[tuple[str, Estimate]]]]:
    summary = report.summary
    rows = {name: [("macro", row.macro), ("micro", row.micro)] for name, row in summary.rows.items()}
    rows |= {name: [("all", Estimate(value, None))] for name, value in summary.together.items()}
    return [
        (title(name, summary.k) + (" ↓" if name in LOWER_IS_BETTER else ""), means)
        for name, means in rows.items()
    ]


def _n_mapped(report: Report) -> str:
    if report.map is None:
        return ""
    n_shown, n_there = len(report.map.ids), report.map.n_there
    if n_shown == n_there:
        return f"the {n_there} labelled items"
    return f"{n_shown} of {n_there} labelled items, drawn at random with seed {report.provenance.seed}"


def _cases(report: Report) -> list[tuple[str, str, tuple[Asked, ...]]]:
    k = report.summary.k
    both = [
        ("Best queries", f"The highest P@{k}, then the highest AP@{k}.", report.extremes.best),
        ("Worst queries", f"The lowest P@{k}, then the lowest AP@{k}.", report.extremes.worst),
    ]
    return [each for each in both if each[2]]
