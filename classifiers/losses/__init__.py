"""What a classifier's training makes small; one file a loss, and a line here. Torch comes with the loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.training.losses import LOSSES as OF_EXTRACTORS
from cbir.training.settings import Number, Setting

if TYPE_CHECKING:
    from collections.abc import Mapping

LOSSES: Mapping[str, Mapping[str, Setting]] = {
    "cross_entropy": OF_EXTRACTORS["cross_entropy"],
    "distance_aware": {"distance_weight": Number(0.5)},
}
"""Every loss by the name that a recipe calls it, with its settings; ``create`` makes it."""

NEEDS_ORDER = frozenset({"distance_aware"})
"""Losses that read a class's code as its grade."""
