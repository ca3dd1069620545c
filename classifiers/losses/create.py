"""A loss by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.training.losses.cross_entropy import CrossEntropyLoss
from cbir.training.settings import read_settings
from classifiers.losses import LOSSES
from classifiers.losses.distance_aware import DistanceAwareLoss

if TYPE_CHECKING:
    from torch import nn

    from cbir.training.recipe.entry import Named


def create_loss(loss: Named) -> nn.Module:
    """Make a loss: (B, n_classes) logits and (B,) codes to a number.

    Args:
        loss: of ``LOSSES``, with its settings.

    Raises:
        SpecError: a setting that it does not have, or that makes no sense.
    """
    numbers = {
        key: float(value) for key, value in read_settings("loss", loss.settings, LOSSES[loss.name]).items()
    }
    return DistanceAwareLoss(**numbers) if loss.name == "distance_aware" else CrossEntropyLoss(**numbers)
