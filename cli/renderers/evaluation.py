"""An evaluation as tables of text, and as a JSON document."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict

from cbir import __version__
from cbir.evaluation.comparison import holm
from cbir.evaluation.intervals import N_RESAMPLES, Interval
from cbir.evaluation.plain import plain_ends, plain_number
from cbir.evaluation.protocol import Study
from cbir.evaluation.report import report_document
from cbir.evaluation.summary import Estimate, Row, Summary
from cbir.evaluation.titles import title
from cbir.items.where import written
from cli.comparing import Compared
from cli.evaluating import Evaluation
from cli.renderers.definition import definition_values, render_definition
from cli.renderers.table import columns
from indexer.refine import wording

VERSION = 1
"""Goes up when a field changes its meaning or goes away; new fields may come any time."""

_PER_CLASS = ("precision", "ndcg", "vote_accuracy", "grade_distance")


def render_evaluation(evaluation: Evaluation) -> str:
    """What was asked, every measure with chance beside it, classes, leak, comparisons, verdict."""
    summary, study = evaluation.summary, evaluation.study
    source = evaluation.provenance
    split = f" (split {source.split_hash[:8]}…)" if source.split_hash else ""
    unit = "cases" if evaluation.request.plan.cases else "items"
    head = [
        ("index", f"{source.index} ({source.extractor}, {source.fingerprint[:8]}…)"),
        ("protocol", f"same {source.label}, {source.queries}{split}, k = {summary.k}"),
        ("queries", f"{len(study.query_ids)} of {summary.n_groups} groups"),
        ("gallery", f"{int(study.gallery.sum())} labelled {unit}, most of them {summary.majority!r}"),
    ]
    parts = [columns(head), _measures(summary), _classes(study, summary), _leak(summary) + _luck(summary)]
    if evaluation.compared:
        parts.append(_comparisons(evaluation))
    if evaluation.spreads:
        parts.append(_seeds(evaluation))
    if evaluation.defined:
        parts.append(render_definition(*evaluation.defined))
    if summary.verdicts:
        parts.append("".join(f"{verdict}\n" for verdict in summary.verdicts))
    return "\n".join(parts)


def render_evaluation_json(evaluation: Evaluation) -> str:
    """One document; a value that does not apply is null."""
    summary, study, source = evaluation.summary, evaluation.study, evaluation.provenance
    request = evaluation.request
    cases = request.plan.cases
    document = {
        "cbir": "evaluation",
        "version": VERSION,
        "program": __version__,
        "command": source.command,
        "made": source.made,
        "versions": dict(source.versions),
        "index": {
            "path": source.index,
            "extractor": source.extractor,
            "fingerprint": source.fingerprint,
            "generation": source.generation,
        },
        "case": cases and {"column": cases.column, "label": cases.label},
        "tenant": request.settings.tenant,
        "where": request.plan.where and written(request.plan.where),
        "queries": request.queries,
        "gallery": request.gallery,
        "refine": [wording(each) for each in request.plan.refinements],
        "rerank": request.rerank and asdict(request.rerank),
        "run": None if request.run is None else str(request.run),
        "split_hash": source.split_hash,
        "label": source.label,
        "k": summary.k,
        "n_queries": len(study.query_ids),
        "n_groups": summary.n_groups,
        "n_gallery": int(study.gallery.sum()),
        "intervals": {
            "resamples": N_RESAMPLES,
            "over": "groups",
            "method": "percentile",
            "seed": request.seed,
        },
        "classes": [
            {"label": label, "n_queries": n, "n_gallery": int(n_gallery)}
            for label, n, n_gallery in zip(study.classes, summary.n_queries, study.gallery, strict=True)
        ],
        "ordinal": study.is_ordinal,
        "majority": summary.majority,
        "measures": {name: _row(row, study.classes) for name, row in summary.rows.items()},
        "together": {name: plain_number(value) for name, value in summary.together.items()},
        "leak": {
            "measure": "macro precision",
            "without_group": plain_number(summary.leak.without_group),
            "with_group": plain_number(summary.leak.with_group),
            "delta": plain_number(summary.leak.delta),
        },
        "comparisons": [
            _comparison(compared, corrected)
            for compared, corrected in zip(evaluation.compared, _corrected(evaluation), strict=True)
        ],
        "seeds": {
            name: {"values": list(each.values), "mean": each.mean, "sd": plain_number(each.sd)}
            for name, each in evaluation.spreads.items()
        },
        "verdicts": list(summary.verdicts),
        "notes": list(evaluation.notes),
        "definition": definition_values(*evaluation.defined) if evaluation.defined else None,
        **(report_document(evaluation.report) if evaluation.report else {}),
        "seconds": round(evaluation.seconds, 6),
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _measures(summary: Summary) -> str:
    rows = [("measure", "mean", "value", "95 % interval", "random", "majority")]
    for name, row in summary.rows.items():
        for kind, estimate in (("macro", row.macro), ("micro", row.micro)):
            cells = (_text(estimate.value), _span(estimate.interval))
            rows.append(
                (title(name, summary.k), kind, *cells, _text(estimate.random), _text(estimate.majority))
            )
    rows += [
        (title(name, summary.k), "all", _text(value), "", "", "") for name, value in summary.together.items()
    ]
    return columns(rows, keep=rows[0])


def _classes(study: Study, summary: Summary) -> str:
    shown = [summary.rows[name] for name in _PER_CLASS if name in summary.rows]
    rows = [["class", "queries", "gallery", *(title(row.name, summary.k) for row in shown)]]
    for code, label in enumerate(study.classes):
        counts = str(summary.n_queries[code]), str(int(study.gallery[code]))
        rows.append([label, *counts, *(_text(row.per_class[code]) for row in shown)])
    return columns(rows)


def _leak(summary: Summary) -> str:
    leak = summary.leak
    return (
        f"leak: with each query's own group in the gallery macro {title('precision', summary.k)} would be "
        f"{_text(leak.with_group)}, {leak.delta:+.4f}\n"
    )


def _luck(summary: Summary) -> str:
    found = summary.rows["precision"].macro
    if found.luck is None:
        return "luck: not known, for no two groups have as many images to deal labels between\n"
    return (
        f"luck: with the labels dealt anew to the groups macro {title('precision', summary.k)} is as high "
        f"with p = {_p(found.luck)}\n"
    )


def _comparisons(evaluation: Evaluation) -> str:
    what = f"macro {title('precision', evaluation.summary.k)}"
    rows = [("compared with", what, "there", "difference", "95 % interval", "p", "p (Holm)", "queries")]
    for compared, corrected in zip(evaluation.compared, _corrected(evaluation), strict=True):
        paired, found = compared.paired, compared.paired.comparison
        values = _text(paired.value), _text(paired.other), f"{found.difference:+.4f}", _span(found.interval)
        p_values = _p(found.p_value), _p(corrected)
        rows.append((compared.name, *values, *p_values, str(paired.n_queries)))
    return columns(rows)


def _seeds(evaluation: Evaluation) -> str:
    n_seeds = len(next(iter(evaluation.spreads.values())).values)
    rows = [[f"over {n_seeds} seeds", "mean", "sd", "least", "most"]]
    for name, each in evaluation.spreads.items():
        numbers = (each.mean, each.sd, min(each.values), max(each.values))
        rows.append([f"macro {title(name, evaluation.summary.k)}", *map(_text, numbers)])
    return columns(rows, keep=rows[0])


def _corrected(evaluation: Evaluation) -> list[float]:
    return holm([compared.paired.comparison.p_value for compared in evaluation.compared])


def _row(row: Row, classes: Sequence[str]) -> dict[str, object]:
    return {
        "macro": _estimate(row.macro),
        "micro": _estimate(row.micro),
        "per_class": {
            label: plain_number(value) for label, value in zip(classes, row.per_class, strict=True)
        },
        "n_queries": row.n_queries,
    }


def _estimate(estimate: Estimate) -> dict[str, object]:
    plain: dict[str, object] = {
        "value": plain_number(estimate.value),
        "interval": plain_ends(estimate.interval),
    }
    if estimate.random is None:
        return plain
    baselines = {"random": plain_number(estimate.random), "majority": plain_number(estimate.majority)}
    luck = {} if estimate.luck is None else {"luck": estimate.luck}
    return {**plain, **baselines, **luck, "beats_both": not estimate.unbeaten}


def _comparison(compared: Compared, corrected: float) -> dict[str, object]:
    paired, found = compared.paired, compared.paired.comparison
    return {
        "index": str(compared.index),
        "refine": list(compared.refined_by),
        "measure": "macro precision",
        "value": plain_number(paired.value),
        "other": plain_number(paired.other),
        "difference": plain_number(found.difference),
        "interval": plain_ends(found.interval),
        "p_value": found.p_value,
        "p_value_holm": corrected,
        "n_queries": paired.n_queries,
        "n_left_out": paired.n_left_out,
    }


def _text(value: float | None) -> str:
    return "" if value is None else "-" if math.isnan(value) else f"{value:.4f}"


def _span(interval: Interval | None) -> str:
    return "-" if interval is None else f"{interval.low:.4f} – {interval.high:.4f}"


def _p(value: float) -> str:
    return f"{value:.4f}"
