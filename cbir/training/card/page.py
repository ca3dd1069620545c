"""A card as a page of Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir import __version__
from cbir.evaluation.titles import title
from cbir.training.card.card import NOT_CLAIMED, USE, Card, gain, library_versions, no_result
from cbir.training.card.cells import cell, estimate_cells, in_words, left_out, table
from cbir.training.run.counts import count_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbir.extractors.spec import ExtractorSpec
    from cbir.training.run.measuring import Measured

_SHOWN = ("precision", "ndcg", "vote_accuracy", "grade_distance")


def card_text(card: Card) -> str:
    """The same as a page of Markdown."""
    spec, material = card.spec, card.material
    rows = [[each.part, each.n_images, each.n_groups, *each.by_class] for each in count_parts(material)]
    lines = [
        f"# {cell(spec.name)}",
        "",
        f"**{USE}**",
        "",
        _what(card),
        "",
        "## What it started from",
        "",
        *table(["weights", "sha256", "licence"], _start(card.start)),
        "",
        "What these licences ask for holds for what was made of them.",
        "",
        "## What it was trained on",
        "",
        f"Data `{card.data_hash[:16]}`, split `{material.split_hash[:16]}`; a patient is in one part alone.",
        "",
        *table(["part", "images", "patients", *material.classes], rows),
        "",
        *[f"- {line}" for line in left_out(card.material, card.unread)],
        f"Chosen on the validation part: {in_words(card.chosen)}.",
        "",
        "## What it is worth",
        "",
        *_worth(card.measured),
        "",
        "## What is not claimed",
        "",
        *[f"- {line}" for line in NOT_CLAIMED],
        "",
        "Versions: " + ", ".join(f"{name} {each}" for name, each in library_versions().items()) + ".",
    ]
    return "\n".join(lines) + "\n"


def _what(card: Card) -> str:
    return (
        f"An extractor of medical images, {card.spec.dim} numbers each, trained with the recipe "
        f"`{cell(card.recipe['name'])}` (`{card.recipe_sha256[:8]}`), seed {card.seed}, by cbir "
        f"{__version__} on {card.device}, {card.made}, in {card.seconds:.0f} s. Fingerprint "
        f"`{card.spec.fingerprint}`."
    )


def _asked(measured: Measured) -> str:
    return (
        f"The test part asked ({len(measured.study.query_ids)} images, {measured.summary.n_groups} "
        f"patients), the training part answered; k = {measured.summary.k}. Intervals are over patients."
    )


def _worth(measured: Measured | None) -> list[str]:
    if measured is None:
        return ["No image is in the test part: nothing was measured, and nothing is claimed."]
    summary = measured.summary
    rows = [
        [title(name, summary.k), kind, *estimate_cells(estimate)]
        for name in _SHOWN
        if name in summary.rows
        for kind, estimate in (("macro", summary.rows[name].macro), ("micro", summary.rows[name].micro))
    ]
    return [
        _asked(measured),
        "",
        *table(["measure", "mean", "value", "95 % interval", "random", "majority"], rows),
        "",
        f"Paired: {gain(measured)}.",
        "",
        *[f"- {line}" for line in no_result(measured)],
    ]


def _start(specs: Sequence[ExtractorSpec]) -> list[list[str]]:
    return [
        [branch.weights.name, branch.weights.sha256[:16], branch.weights.license or "not said"]
        for spec in specs
        for branch in spec.branches
    ]
