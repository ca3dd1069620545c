"""A run's card: what it is, what of, and what it is worth; for programs and for people."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from cbir import __version__
from cbir.evaluation.plain import plain_ends, plain_number
from cbir.evaluation.report.page.figures import number, span
from cbir.evaluation.titles import title
from cbir.training.counts import count_parts

if TYPE_CHECKING:
    from cbir.evaluation.intervals import Interval
    from cbir.evaluation.summary import Estimate
    from cbir.extractors.spec import ExtractorSpec
    from cbir.images.steps import JSON
    from cbir.training.material import Material
    from cbir.training.measuring import Measured

VERSION = 1
"""Goes up when a field changes its meaning or goes away; new fields may come any time."""

USE = "Research use only, not for diagnosis."

_LIBRARIES = ("torch", "timm", "accelerate", "pytorch-metric-learning", "numpy", "opencv-python-headless")
_SHOWN = ("precision", "ndcg", "vote_accuracy", "grade_distance")
_NOT_CLAIMED = (
    "Anything about patients, devices or sites that are not in the test part.",
    "That a hit has the same diagnosis, or that a label follows from hits.",
    "Anything where it says: no result.",
)


@dataclass(frozen=True, slots=True)
class Card:
    """What is told of a finished training.

    Args:
        recipe: its page.
        recipe_sha256: of that.
        spec: of the trained extractor, as it was published.
        start: what it started from.
        material: what it was trained, chosen and measured on.
        data_hash: of that, contents and all.
        unread: files that were left out, by reason.
        chosen: what the choice of the weights says of itself: the best epoch, or the head's setting.
        measured: on the test part; None without one.
        seed: of everything that was drawn.
        device: that it ran on.
        made: when it was finished, UTC.
        seconds: that it took; of a run that was gone on with, its last stretch.
    """

    recipe: Mapping[str, JSON]
    recipe_sha256: str
    spec: ExtractorSpec
    start: Sequence[ExtractorSpec]
    material: Material
    data_hash: str
    unread: Mapping[str, int]
    chosen: Mapping[str, JSON]
    measured: Measured | None
    seed: int
    device: str
    made: str
    seconds: float


def card_json(card: Card) -> str:
    """One document; a value that does not apply is null."""
    document: dict[str, JSON] = {
        "cbir": "training",
        "version": VERSION,
        "program": __version__,
        "use": USE,
        "not_claimed": list(_NOT_CLAIMED),
        "made": card.made,
        "seconds": round(card.seconds, 3),
        "device": card.device,
        "versions": dict(_versions()),
        "extractor": {
            "name": card.spec.name,
            "fingerprint": card.spec.fingerprint,
            "dim": card.spec.dim,
        },
        "recipe": {"sha256": card.recipe_sha256, "page": dict(card.recipe)},
        "seed": card.seed,
        "start": [
            {"fingerprint": spec.fingerprint, **branch.weights.to_dict()}
            for spec in card.start
            for branch in spec.branches
        ],
        "data": {
            "hash": card.data_hash,
            "split_hash": card.material.split_hash,
            "classes": list(card.material.classes),
            "ordinal": card.material.is_ordinal,
            "parts": _parts(card.material),
            "unlabelled": card.material.n_unlabelled,
            "without_part": card.material.n_outside,
            "unread": dict(card.unread),
        },
        "chosen": dict(card.chosen),
        "test": _measured(card.measured) if card.measured else None,
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


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
        *[f"- {line}" for line in _NOT_CLAIMED],
        "",
        "Versions: " + ", ".join(f"{name} {each}" for name, each in _versions().items()) + ".",
    ]
    return "\n".join(lines) + "\n"


def no_result(measured: Measured) -> list[str]:
    """Sentences for what does not beat chance, and for a gain over the start that is none."""
    return [*measured.summary.verdicts, *_no_gain(measured)]


def gain(measured: Measured) -> str:
    """The paired difference to the start, in a line."""
    paired, test = measured.paired, measured.paired.comparison
    return (
        f"macro P@{measured.study.k} {paired.value:.4f} against {paired.other:.4f} of what it started from: "
        f"{test.difference:+.4f} ({span(test.interval)}), p = {test.p_value:.4f}, {paired.n_queries} queries"
    )


def _no_gain(measured: Measured) -> list[str]:
    if measured.is_better:
        return []
    return ["no result: it is not better than what it started from, as far as these patients tell"]


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


def _measured(measured: Measured) -> JSON:
    summary, paired = measured.summary, measured.paired
    return {
        "k": summary.k,
        "n_queries": len(measured.study.query_ids),
        "n_groups": summary.n_groups,
        "majority": summary.majority,
        "measures": {
            name: {"macro": _plain(row.macro), "micro": _plain(row.micro)}
            for name, row in summary.rows.items()
        },
        "against_start": {
            "measure": "macro precision",
            "value": plain_number(paired.value),
            "start": plain_number(paired.other),
            "difference": plain_number(paired.comparison.difference),
            "interval": _ends(paired.comparison.interval),
            "p": plain_number(paired.comparison.p_value),
            "n_queries": paired.n_queries,
            "is_better": measured.is_better,
        },
        "no_result": list(no_result(measured)),
        "notes": list(measured.study.notes),
    }


def _plain(estimate: Estimate) -> JSON:
    return {
        "value": plain_number(estimate.value),
        "interval": _ends(estimate.interval),
        "random": plain_number(estimate.random),
        "majority": plain_number(estimate.majority),
    }


def _ends(interval: Interval | None) -> JSON:
    ends = plain_ends(interval)
    return None if ends is None else list(ends)


def _parts(material: Material) -> JSON:
    return [
        {
            "part": each.part,
            "images": each.n_images,
            "groups": each.n_groups,
            "by_class": list(each.by_class),
        }
        for each in count_parts(material)
    ]


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


def _versions() -> Mapping[str, str]:
    found = {"cbir": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # under another name, from another distributor
            continue
    return found


def _table(header: Sequence[str], rows: Sequence[Sequence[JSON]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(_cell(each) for each in line) + " |" for line in lines]


def _cell(value: JSON) -> str:
    """Text of strangers, so that it stays one cell."""
    from cbir.printable import printable

    text = printable(str(value))
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "'")
