"""A card as a page of Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir import __version__
from cbir.evaluation.report.page.figures import number, span
from cbir.evaluation.titles import title
from cbir.training.card.card import NOT_CLAIMED, USE, Card, gain, library_versions, no_result
from cbir.training.run.counts import count_parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbir.evaluation.summary import Estimate
    from cbir.extractors.spec import ExtractorSpec
    from cbir.images.steps import JSON
    from cbir.training.run.measuring import Measured

_SHOWN = ("precision", "ndcg", "vote_accuracy", "grade_distance")


def card_text(card: Card) -> str:
    """The same as a page of Markdown."""
    spec, material = card.spec, card.material
    rows = [[each.part, each.n_images, each.n_groups, *each.by_class] for each in count_parts(material)]
    lines = [
        f"# {_cell(spec.name)}",
        "",
        f"**{USE}**",
        "",
        _what(card),
        "",
        "## What it started from",
        "",
        *_table(["weights", "sha256", "licence"], _start(card.start)),
        "",
        "What these licences ask for holds for what was made of them.",
        "",
        "## What it was trained on",
        "",
        f"Data `{card.data_hash[:16]}`, split `{material.split_hash[:16]}`; a patient is in one part alone.",
        "",
        *_table(["part", "images", "patients", *material.classes], rows),
        "",
        *[f"- {line}" for line in _left_out(card)],
        f"Chosen on the validation part: {_chosen(card.chosen)}.",
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
        f"`{_cell(card.recipe['name'])}` (`{card.recipe_sha256[:8]}`), seed {card.seed}, by cbir "
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
        [title(name, summary.k), kind, *_estimate(estimate)]
        for name in _SHOWN
        if name in summary.rows
        for kind, estimate in (("macro", summary.rows[name].macro), ("micro", summary.rows[name].micro))
    ]
    return [
        _asked(measured),
        "",
        *_table(["measure", "mean", "value", "95 % interval", "random", "majority"], rows),
        "",
        f"Paired: {gain(measured)}.",
        "",
        *[f"- {line}" for line in no_result(measured)],
    ]


def _estimate(estimate: Estimate) -> list[str]:
    chances = number(estimate.random), number(estimate.majority)
    return [number(estimate.value), span(estimate.interval), *chances]


def _start(specs: Sequence[ExtractorSpec]) -> list[list[str]]:
    return [
        [branch.weights.name, branch.weights.sha256[:16], branch.weights.license or "not said"]
        for spec in specs
        for branch in spec.branches
    ]


def _left_out(card: Card) -> list[str]:
    counts = {
        "without a label": card.material.n_unlabelled,
        "without a part": card.material.n_outside,
        **{f"unreadable ({reason})": count for reason, count in card.unread.items()},
    }
    lines = [f"left out {what}: {count}" for what, count in counts.items() if count]
    return [*lines, ""] if lines else []


def _chosen(chosen: Mapping[str, JSON]) -> str:
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in chosen.items()
    )


def _table(header: Sequence[str], rows: Sequence[Sequence[JSON]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(_cell(each) for each in line) + " |" for line in lines]


def _cell(value: JSON) -> str:
    """Text of strangers, so that it stays one cell."""
    from cbir.printable import printable

    text = printable(str(value))
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "'")
