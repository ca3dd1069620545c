"""The page of a classifier's report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cbir.evaluation.report.charts import N_SLOTS, swatch, trace_swatch
from cbir.evaluation.report.confusion import folded
from cbir.evaluation.report.drawn import map_chart
from cbir.evaluation.report.page import render_page
from classifiers.measures import CLASS_MEASURES, LOWER_IS_BETTER, NO_VERDICT
from classifiers.measures.titles import TITLES
from classifiers.report.drawn import (
    confusion_chart,
    decision_chart,
    distribution_chart,
    headline_strip,
    reliability_chart,
    roc_chart,
    six_measures,
)
from classifiers.report.report import OfClass, Report

HEADLINE = "macro_f1"
MAX_CLASSES = 24
"""More do not fit the confusion matrix: the most frequent are shown, the other answers come folded."""

MAX_CHARTS = 8
"""Classes with a chart of their own: the most frequent."""

_TEMPLATE = Path(__file__).parent / "classification.html.jinja"
_SWATCHES = ("bar", "line", "reference", "random", "majority", "whisker")


def render_report(report: Report) -> str:
    """One HTML file: charts inside, nothing fetched, nothing run, every text escaped."""
    summary, judged = report.evaluation.summary, report.evaluation.judged
    kept = sorted(np.argsort(-judged.counts, kind="stable")[:MAX_CLASSES].tolist())
    n_folded = len(judged.classes) - len(kept)
    confusion = folded(report.confusion, kept, f"{n_folded} others")
    of_roc, charted = _most(report.classes, N_SLOTS), _most(report.classes, MAX_CHARTS)
    acted_on = [each for each in report.classes if each.label == report.positive] or charted
    drawn = None if report.map is None else map_chart(report.map, judged.classes)
    headline = summary.measures[HEADLINE]
    return render_page(
        _TEMPLATE,
        {
            "report": report,
            "provenance": report.provenance,
            "summary": summary,
            "judged": judged,
            "compared": report.evaluation.compared,
            "spreads": report.evaluation.spreads,
            "titles": TITLES,
            "lower": LOWER_IS_BETTER,
            "no_verdict": NO_VERDICT,
            "class_measures": list(CLASS_MEASURES),
            "swatches": {
                **{kind: swatch(kind) for kind in _SWATCHES},
                "nobody": trace_swatch("reference nobody"),
            },
            "headline": headline,
            "headline_title": TITLES[HEADLINE],
            "strip": headline_strip(TITLES[HEADLINE], headline, summary.majority),
            "radar": six_measures(summary.measures),
            "confusion": confusion,
            "heatmap": confusion_chart(confusion),
            "n_folded": n_folded,
            "roc": roc_chart(of_roc),
            "roc_legend": [(trace_swatch(f"slot{slot}"), each.label) for slot, each in enumerate(of_roc)],
            "areas": {row.label: row.measures["auc"] for row in summary.classes},
            "reliability": reliability_chart(report.reliability),
            "decisions": [(each.label, decision_chart(each)) for each in acted_on],
            "distributions": [(each.label, each.n_images, distribution_chart(each)) for each in charted],
            "n_classes": len(report.classes),
            "map": drawn and drawn.chart,
            "map_legend": drawn.legend if drawn else (),
            "notes": report.evaluation.notes,
        },
    )


def _most(classes: Sequence[OfClass], n: int) -> list[OfClass]:
    """Those with the most images, in their own order."""
    order = sorted(range(len(classes)), key=lambda place: -classes[place].n_images)[:n]
    return [classes[place] for place in sorted(order)]
