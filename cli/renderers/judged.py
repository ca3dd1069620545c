"""A run judged by qrels, as a table of text and as a JSON document."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from cbir import __version__
from cbir.evaluation.intervals import N_RESAMPLES
from cbir.evaluation.titles import title
from cbir.evaluation.trec import Judged, JudgedRow
from cli.renderers.table import columns

VERSION = 1
"""Goes up when a field changes its meaning or goes away; new fields may come any time."""


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """What was judged, and by what.

    Args:
        run: the file of the run.
        qrels: the file of what is relevant.
        seed: of the draws.
        judged: the numbers.
        seconds: all of it took.
    """

    run: Path
    qrels: Path
    seed: int
    judged: Judged
    seconds: float


def render_judged(result: JudgedRun) -> str:
    """What was judged, and every measure; the notes are for stderr."""
    judged = result.judged
    head = [
        ("run", str(result.run)),
        ("qrels", str(result.qrels)),
        ("protocol", f"as judged, k = {judged.k}; who could be found is not known, nor is chance"),
        ("queries", str(judged.n_queries)),
    ]
    header = ("measure", "mean", "value", "95 % interval", "queries")
    table = [header, *(_cells(row, judged.k) for row in judged.rows.values())]
    return f"{columns(head)}\n{columns(table, keep=header)}"


def render_judged_json(result: JudgedRun) -> str:
    """One document; a value that does not apply is null."""
    judged = result.judged
    document = {
        "cbir": "judged run",
        "version": VERSION,
        "program": __version__,
        "run": str(result.run),
        "qrels": str(result.qrels),
        "k": judged.k,
        "n_queries": judged.n_queries,
        "n_missing": judged.n_missing,
        "n_unanswerable": judged.n_unanswerable,
        "n_unjudged": judged.n_unjudged,
        "n_graded": judged.n_graded,
        "intervals": {
            "resamples": N_RESAMPLES,
            "over": "queries",
            "method": "percentile",
            "seed": result.seed,
        },
        "measures": {name: _row(row) for name, row in judged.rows.items()},
        "notes": list(judged.notes),
        "seconds": round(result.seconds, 6),
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _cells(row: JudgedRow, k: int) -> tuple[str, ...]:
    value = "-" if math.isnan(row.value) else f"{row.value:.4f}"
    span = "-" if row.interval is None else f"{row.interval.low:.4f} – {row.interval.high:.4f}"
    return title(row.name, k), "micro", value, span, str(row.n_queries)


def _row(row: JudgedRow) -> dict[str, object]:
    return {
        "micro": {
            "value": None if math.isnan(row.value) else row.value,
            "interval": None if row.interval is None else [row.interval.low, row.interval.high],
        },
        "n_queries": row.n_queries,
    }
