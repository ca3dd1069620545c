"""A card as a JSON document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cbir import __version__
from cbir.evaluation.plain import plain_number
from cbir.training.card.card import NOT_CLAIMED, USE, Card, library_versions, no_result
from cbir.training.card.plain import plain_estimate, plain_interval, plain_parts

if TYPE_CHECKING:
    from cbir.images.steps import JSON
    from cbir.training.run.measuring import Measured

VERSION = 1
"""Goes up when a field changes its meaning or goes away; new fields may come any time."""


def card_json(card: Card) -> str:
    """One document; a value that does not apply is null."""
    document: dict[str, JSON] = {
        "cbir": "training",
        "version": VERSION,
        "program": __version__,
        "use": USE,
        "not_claimed": list(NOT_CLAIMED),
        "made": card.made,
        "seconds": round(card.seconds, 3),
        "device": card.device,
        "versions": dict(library_versions()),
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
            "parts": plain_parts(card.material),
            "unlabelled": card.material.n_unlabelled,
            "without_part": card.material.n_outside,
            "unread": dict(card.unread),
        },
        "chosen": dict(card.chosen),
        "test": _measured(card.measured) if card.measured else None,
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _measured(measured: Measured) -> JSON:
    summary, paired = measured.summary, measured.paired
    return {
        "k": summary.k,
        "n_queries": len(measured.study.query_ids),
        "n_groups": summary.n_groups,
        "majority": summary.majority,
        "measures": {
            name: {"macro": plain_estimate(row.macro), "micro": plain_estimate(row.micro)}
            for name, row in summary.rows.items()
        },
        "against_start": {
            "measure": "macro precision",
            "value": plain_number(paired.value),
            "start": plain_number(paired.other),
            "difference": plain_number(paired.comparison.difference),
            "interval": plain_interval(paired.comparison.interval),
            "p": plain_number(paired.comparison.p_value),
            "n_queries": paired.n_queries,
            "is_better": measured.is_better,
        },
        "no_result": list(no_result(measured)),
        "notes": list(measured.study.notes),
    }
