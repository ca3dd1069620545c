"""Tried refinements as a table of text, and as a JSON document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cbir import __version__
from cbir.evaluation.plain import plain_ends, plain_number
from cli.renderers.table import columns
from indexer.refine import wording

if TYPE_CHECKING:
    from indexer.fitting.refinement import Tried, Tuning

VERSION = 1
"""Goes up when a field changes its meaning or goes away; new fields may come any time."""


def render_tuning(tuning: Tuning) -> str:
    """The plain search, every setting with its gain, the best first, and the line to copy."""
    name = f"macro P@{tuning.plain.k}"
    rows: list[tuple[str, ...]] = [("refined by", name, "difference", "95 % interval", "p", "p (Holm)")]
    rows.append(("nothing", f"{tuning.tried[0].paired.other:.4f}", "", "", "", ""))
    rows += [_row(each) for each in tuning.tried]
    return (
        columns(rows) + f"\n{' '.join(f'--refine {wording(each)}' for each in tuning.tried[0].refinements)}\n"
    )


def render_tuning_json(tuning: Tuning, *, seed: int) -> str:
    """One document; a value that does not apply is null."""
    document = {
        "cbir": "tuning",
        "version": VERSION,
        "program": __version__,
        "measure": "macro precision",
        "k": tuning.plain.k,
        "n_queries": len(tuning.plain.query_ids),
        "n_gallery": int(tuning.plain.gallery.sum()),
        "seed": seed,
        "plain": plain_number(tuning.tried[0].paired.other),
        "tried": [_document(each) for each in tuning.tried],
        "notes": list(tuning.plain.notes),
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def verdict(tuning: Tuning) -> str:
    """Whether anything is better, and where it is to be measured."""
    n_tried, best = len(tuning.tried), tuning.tried[0]
    if best.is_better:
        return (
            f"better than the plain search by the paired test, of {n_tried} tried; measure it on other items"
        )
    return (
        f"none of {n_tried} settings is better than the plain search by the paired test (p {best.p_holm:.3f} "
        "of the best, corrected): the plain search may serve as well"
    )


def _row(tried: Tried) -> tuple[str, ...]:
    found = tried.paired.comparison
    span = f"{found.interval.low:+.4f} – {found.interval.high:+.4f}" if found.interval else "-"
    return (
        " + ".join(map(wording, tried.refinements)),
        f"{tried.paired.value:.4f}",
        f"{found.difference:+.4f}",
        span,
        f"{found.p_value:.4f}",
        f"{tried.p_holm:.4f}",
    )


def _document(tried: Tried) -> dict[str, object]:
    found = tried.paired.comparison
    return {
        "refine": list(map(wording, tried.refinements)),
        "value": plain_number(tried.paired.value),
        "difference": plain_number(found.difference),
        "interval": plain_ends(found.interval),
        "p_value": found.p_value,
        "p_value_holm": tried.p_holm,
        "is_better": tried.is_better,
    }
