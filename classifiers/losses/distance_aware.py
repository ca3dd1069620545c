"""Distance-aware loss: an answer costs the more, the further it is expected to be from the right grade."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.functional import cross_entropy

if TYPE_CHECKING:
    from torch import Tensor


class DistanceAwareLoss(nn.Module):
    """The mean over the batch of ``CE · (1 + λ · E)``, with E = Σ p(class) · |class − label|.

    The gradient goes through E too.

    Args:
        distance_weight: λ, >= 0; with 0 it is cross-entropy.

    Source: Sci Rep 2026, 16(1), doi 10.1038/s41598-026-40906-8, whose λ is not stated.
    """

    def __init__(self, distance_weight: float = 0.5) -> None:
        super().__init__()
        self.distance_weight = distance_weight

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(B, n_classes), classes in their order, and (B,) codes to a number."""
        grades = torch.arange(logits.shape[1], device=logits.device)
        distances = (grades - labels[:, None]).abs().to(logits.dtype)
        expected = (logits.softmax(dim=1) * distances).sum(dim=1)
        surprise = cross_entropy(logits, labels, reduction="none")
        return (surprise * (1 + self.distance_weight * expected)).mean()
