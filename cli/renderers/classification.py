"""A classifier's evaluation as tables of text, and as a JSON document."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from cbir import __version__
from cbir.evaluation.comparison import Comparison
from cbir.evaluation.intervals import N_RESAMPLES, Interval
from cbir.evaluation.plain import plain_ends, plain_number
from cbir.evaluation.summary import Estimate
from classifiers.evaluation.evaluate import Compared, Evaluation
from classifiers.measures import CLASS_MEASURES, NO_VERDICT
from classifiers.measures.titles import TITLES
from classifiers.report.document import curves_document
from classifiers.report.provenance import Provenance
from cli.renderers.table import columns

VERSION = 1
"""Goes up when a field changes its meaning or goes away; new fields may come any time."""


def render_classification(evaluation: Evaluation, provenance: Provenance) -> str:
    """What was judged, every measure with chance beside it, classes, comparisons, seeds, verdict."""
    summary, judged = evaluation.summary, evaluation.judged
    split = "" if provenance.split is None else f", split {provenance.split}"
    grades = ", ordinal" if judged.has_grades else ""
    head = [
        ("predictions", f"{provenance.table} ({provenance.sha256[:8]}…){split}"),
        ("images", f"{summary.n_images} of {summary.n_groups} groups, most of them {summary.majority!r}"),
        ("classes", f"{', '.join(judged.classes)}{grades}"),
    ]
    parts = [columns(head), _measures(evaluation), _classes(evaluation)]
    if evaluation.compared:
        parts.append(_comparisons(evaluation))
    if evaluation.spreads:
        parts.append(_seeds(evaluation))
    if summary.verdicts:
        parts.append("".join(f"{verdict}\n" for verdict in summary.verdicts))
    return "\n".join(parts)


def render_classification_json(
    evaluation: Evaluation, provenance: Provenance, *, positive: str | None, seconds: float
) -> str:
    """One document; a value that does not apply is null."""
    summary, judged = evaluation.summary, evaluation.judged
    document = {
        "cbir": "classification",
        "version": VERSION,
        "program": __version__,
        "command": provenance.command,
        "made": provenance.made,
        "versions": dict(provenance.versions),
        "predictions": {"path": provenance.table, "sha256": provenance.sha256, "split": provenance.split},
        "n_images": summary.n_images,
        "n_groups": summary.n_groups,
        "ordinal": judged.has_grades,
        "majority": summary.majority,
        "intervals": {
            "resamples": N_RESAMPLES,
            "over": "groups",
            "method": "percentile",
            "seed": evaluation.seed,
        },
        "measures": _estimates(summary.measures),
        "classes": [
            {"label": row.label, "n_images": row.n_images, "measures": _estimates(row.measures)}
            for row in summary.classes
        ],
        "comparisons": [_compared(each) for each in evaluation.compared],
        "seeds": {
            name: {"values": list(each.values), "mean": each.mean, "sd": plain_number(each.sd)}
            for name, each in evaluation.spreads.items()
        },
        "verdicts": list(summary.verdicts),
        "notes": list(evaluation.notes),
        **curves_document(judged, positive),
        "seconds": round(seconds, 6),
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _measures(evaluation: Evaluation) -> str:
    rows = [("measure", "value", "95 % interval", "random", "majority")]
    for name, each in evaluation.summary.measures.items():
        chance = _text(each.random), _text(each.majority)
        rows.append((TITLES[name], _text(each.value), _span(each.interval), *chance))
    return columns(rows, keep=rows[0])


def _classes(evaluation: Evaluation) -> str:
    rows = [["class", "images", *(TITLES[name] for name in CLASS_MEASURES)]]
    for row in evaluation.summary.classes:
        values = (_text(row.measures[name].value) for name in CLASS_MEASURES)
        rows.append([row.label, str(row.n_images), *values])
    return columns(rows, keep=rows[0])


def _comparisons(evaluation: Evaluation) -> str:
    rows = [
        (
            "compared with",
            "measure",
            "here",
            "there",
            "difference",
            "95 % interval",
            "p",
            "p (Holm)",
            "images",
        )
    ]
    for each in evaluation.compared:
        for name, (value, other, found) in each.paired.values.items():
            difference = _text(value), _text(other), f"{found.difference:+.4f}", _span(found.interval)
            p_values = f"{found.p_value:.4f}", f"{each.p_holm[name]:.4f}"
            rows.append((each.name, TITLES[name], *difference, *p_values, str(each.paired.n_images)))
    return columns(rows)


def _seeds(evaluation: Evaluation) -> str:
    n_seeds = len(next(iter(evaluation.spreads.values())).values)
    rows = [[f"over {n_seeds} seeds", "mean", "sd", "least", "most"]]
    for name, each in evaluation.spreads.items():
        rows.append([TITLES[name], *map(_text, (each.mean, each.sd, min(each.values), max(each.values)))])
    return columns(rows, keep=rows[0])


def _estimates(estimates: Mapping[str, Estimate]) -> dict[str, object]:
    return {name: _estimate(name, each) for name, each in estimates.items()}


def _estimate(name: str, estimate: Estimate) -> dict[str, object]:
    plain: dict[str, object] = {
        "value": plain_number(estimate.value),
        "interval": plain_ends(estimate.interval),
    }
    if estimate.random is None:
        return plain
    baselines = {"random": plain_number(estimate.random), "majority": plain_number(estimate.majority)}
    verdict = {} if name in NO_VERDICT else {"beats_both": not estimate.unbeaten}
    return {**plain, **baselines, **verdict}


def _compared(compared: Compared) -> dict[str, object]:
    return {
        "predictions": compared.name,
        "n_images": compared.paired.n_images,
        "n_left_out": compared.paired.n_left_out,
        "measures": {
            name: _comparison(value, other, found, compared.p_holm[name])
            for name, (value, other, found) in compared.paired.values.items()
        },
    }


def _comparison(value: float, other: float, found: Comparison, p_holm: float) -> dict[str, object]:
    return {
        "value": plain_number(value),
        "other": plain_number(other),
        "difference": plain_number(found.difference),
        "interval": plain_ends(found.interval),
        "p_value": found.p_value,
        "p_value_holm": p_holm,
    }


def _text(value: float | None) -> str:
    return "" if value is None else "-" if math.isnan(value) else f"{value:.4f}"


def _span(interval: Interval | None) -> str:
    return "-" if interval is None else f"{interval.low:.4f} – {interval.high:.4f}"
