"""Tried blends as a table of text, and as a JSON document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cbir import __version__
from cbir.evaluation.plain import plain_ends, plain_number
from cli.renderers.table import columns

if TYPE_CHECKING:
    from classifiers.rerank.tuning import BlendTuning, TriedBlend

VERSION = 1
"""Goes up when a field changes its meaning or goes away; new fields may come any time."""


def render_blends(tuning: BlendTuning) -> str:
    """The plain search, and every blend with its gain; a star where the best is."""
    name = f"macro P@{tuning.plain.k}"
    rows: list[tuple[str, ...]] = [("blend", name, "difference", "95 % interval", "p", "p (Holm)", "best")]
    rows.append(("0", f"{tuning.tried[0].paired.other:.4f}", "", "", "", "", "" if tuning.best else "*"))
    rows += [_row(each, is_best=each is tuning.best) for each in tuning.tried]
    return columns(rows)


def render_blends_json(tuning: BlendTuning, *, seed: int) -> str:
    """One document; a value that does not apply is null."""
    document = {
        "cbir": "blends",
        "version": VERSION,
        "program": __version__,
        "measure": "macro precision",
        "k": tuning.plain.k,
        "n_queries": len(tuning.plain.query_ids),
        "n_gallery": int(tuning.plain.gallery.sum()),
        "seed": seed,
        "blend": tuning.blend,
        "plain": plain_number(tuning.tried[0].paired.other),
        "tried": [_document(each) for each in tuning.tried],
        "notes": list(tuning.plain.notes),
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def verdict(tuning: BlendTuning, name: str) -> str:
    """What is kept, whether it is better, and where that is to be measured."""
    best = tuning.best
    if best is None:
        return f"{name}: no blend finds more than the plain search: kept is 0, similarity alone"
    if best.is_better:
        return (
            f"{name}: kept is the blend {best.blend:g}, better than the plain search by the paired test; "
            f"measure it on other items: cbir evaluate --rerank {name}"
        )
    return (
        f"{name}: kept is the blend {best.blend:g}, not better than the plain search by the paired test (p "
        f"{best.p_holm:.3f}, corrected for {len(tuning.tried)} tried): the plain search may serve as well"
    )


def _row(tried: TriedBlend, *, is_best: bool) -> tuple[str, ...]:
    found = tried.paired.comparison
    span = f"{found.interval.low:+.4f} – {found.interval.high:+.4f}" if found.interval else "-"
    numbers = f"{tried.paired.value:.4f}", f"{found.difference:+.4f}"
    return (f"{tried.blend:g}", *numbers, span, f"{found.p_value:.4f}", f"{tried.p_holm:.4f}", "*" * is_best)


def _document(tried: TriedBlend) -> dict[str, object]:
    found = tried.paired.comparison
    return {
        "blend": tried.blend,
        "value": plain_number(tried.paired.value),
        "difference": plain_number(found.difference),
        "interval": plain_ends(found.interval),
        "p_value": found.p_value,
        "p_value_holm": tried.p_holm,
        "is_better": tried.is_better,
    }
