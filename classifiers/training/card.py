"""A classifier's card: what it is, what of, and what it is worth; for programs and for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbir import __version__
from cbir.training.card.card import USE, library_versions
from cbir.training.card.cells import cell, estimate_cells, in_words, left_out, table
from cbir.training.card.plain import plain_estimate, plain_parts
from cbir.training.run.counts import count_parts
from classifiers.measures.titles import TITLES

if TYPE_CHECKING:
    from cbir.extractors.spec import WeightsRef
    from cbir.images.steps import JSON
    from cbir.training.material import Material
    from classifiers.evaluation.summary import Summary
    from classifiers.spec import ClassifierSpec

VERSION = 1
"""Goes up when a field changes its meaning or goes away; new fields may come any time."""

NOT_CLAIMED = (
    "Anything about patients, devices or sites that are not in the test part.",
    "A diagnosis: an answer is one of the labels that it was trained with, also where none of them fits.",
    "Anything where it says: no result.",
)
CHOICE = "the epoch with the highest macro F1 on the validation part, of equals the lowest loss"
_SHOWN = ("accuracy", "macro_f1", "macro_auc", "mcc", "quadratic_kappa", "adjacent_errors", "ece", "log_loss")


@dataclass(frozen=True, slots=True)
class Card:
    """What is told of a finished training.

    Args:
        recipe: its page.
        recipe_sha256: of that.
        spec: of the classifier, as it was published.
        start: the weights that it started from.
        material: what it was trained, chosen and measured on.
        data_hash: of that, contents and all.
        unread: files that were left out, by reason.
        chosen: what the choice of the weights and of the temperature says of itself.
        measured: on the test part; None where that has fewer than two classes.
        seed: of everything that was drawn.
        device: that it ran on.
        made: when it was finished, UTC.
        seconds: that it took; of a run that was gone on with, its last stretch.
    """

    recipe: Mapping[str, JSON]
    recipe_sha256: str
    spec: ClassifierSpec
    start: Sequence[WeightsRef]
    material: Material
    data_hash: str
    unread: Mapping[str, int]
    chosen: Mapping[str, JSON]
    measured: Summary | None
    seed: int
    device: str
    made: str
    seconds: float


def card_json(card: Card) -> str:
    """One document; a value that does not apply is null."""
    document: dict[str, JSON] = {
        "cbir": "classifier training",
        "version": VERSION,
        "program": __version__,
        "use": USE,
        "not_claimed": list(NOT_CLAIMED),
        "made": card.made,
        "seconds": round(card.seconds, 3),
        "device": card.device,
        "versions": dict(library_versions()),
        "classifier": {
            "name": card.spec.name,
            "fingerprint": card.spec.fingerprint,
            "classes": list(card.spec.classes),
            "ordinal": card.spec.is_ordinal,
            "temperature": card.spec.temperature,
        },
        "recipe": {"sha256": card.recipe_sha256, "page": dict(card.recipe)},
        "seed": card.seed,
        "start": [each.to_dict() for each in card.start],
        "data": {
            "hash": card.data_hash,
            "split_hash": card.material.split_hash,
            "parts": plain_parts(card.material),
            "unlabelled": card.material.n_unlabelled,
            "without_part": card.material.n_outside,
            "unread": dict(card.unread),
        },
        "choice": CHOICE,
        "chosen": dict(card.chosen),
        "test": _measured(card.measured) if card.measured else None,
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def card_text(card: Card) -> str:
    """The same as a page of Markdown."""
    spec, material = card.spec, card.material
    counts = [[each.part, each.n_images, each.n_groups, *each.by_class] for each in count_parts(material)]
    start = [[each.name, each.sha256[:16], each.license or "not said"] for each in card.start]
    lines = [
        f"# {cell(spec.name)}",
        "",
        f"**{USE}**",
        "",
        _what(card),
        "",
        "## What it started from",
        "",
        *table(["weights", "sha256", "licence"], start),
        "",
        "What these licences ask for holds for what was made of them.",
        "",
        "## What it was trained on",
        "",
        f"Data `{card.data_hash[:16]}`, split `{material.split_hash[:16]}`; a patient is in one part alone.",
        "",
        *table(["part", "images", "patients", *material.classes], counts),
        "",
        *[f"- {line}" if line else line for line in left_out(material, card.unread)],
        f"The weights are those of {CHOICE}: {in_words(card.chosen)}. The temperature was fitted there, too.",
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


def no_result(measured: Summary) -> list[str]:
    """Sentences for what does not beat chance."""
    return list(measured.verdicts)


def _what(card: Card) -> str:
    return (
        f"A classifier of medical images ({cell(', '.join(card.spec.classes))}), trained with the recipe "
        f"`{cell(card.recipe['name'])}` (`{card.recipe_sha256[:8]}`), seed {card.seed}, by cbir "
        f"{__version__} on {card.device}, {card.made}, in {card.seconds:.0f} s. Fingerprint "
        f"`{card.spec.fingerprint}`."
    )


def _worth(measured: Summary | None) -> list[str]:
    if measured is None:
        return ["Fewer than two classes are in the test part: nothing was measured, and nothing is claimed."]
    rows = [
        [TITLES[name], *estimate_cells(measured.measures[name])]
        for name in _SHOWN
        if name in measured.measures
    ]
    classes: list[list[JSON]] = [
        [row.label, row.n_images, name, *estimate_cells(estimate)]
        for row in measured.classes
        for name, estimate in row.measures.items()
    ]
    return [
        f"The test part: {measured.n_images} images, {measured.n_groups} patients; intervals are over these.",
        "",
        *table(["measure", "value", "95 % interval", "random", "majority"], rows),
        "",
        *table(["class", "images", "measure", "value", "95 % interval", "random", "majority"], classes),
        "",
        *[f"- {line}" for line in no_result(measured)],
    ]


def _measured(measured: Summary) -> JSON:
    return {
        "n_images": measured.n_images,
        "n_groups": measured.n_groups,
        "majority": measured.majority,
        "measures": {name: plain_estimate(each) for name, each in measured.measures.items()},
        "classes": [
            {
                "label": row.label,
                "n_images": row.n_images,
                "measures": {name: plain_estimate(each) for name, each in row.measures.items()},
            }
            for row in measured.classes
        ],
        "no_result": list(no_result(measured)),
    }
