"""Centre loss: what is alike lies near the centre of its class."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class CentreLoss(nn.Module):
    """The mean squared distance of each embedding from the centre of its class.

    The centres are parameters of their own, which the source updates by a rate of their own: give them an
    optimiser apart from the network's.

    Args:
        n_classes: how many centres; >= 1.
        dim: of the embeddings.

    Raises:
        ValueError: fewer than one class.

    Source: Wen et al., ECCV 2016, eq. 2, without its factor of one half, over the batch's mean.
    """

    def __init__(self, n_classes: int, dim: int) -> None:
        super().__init__()
        if n_classes < 1:
            raise ValueError(f"{n_classes} classes have no centre; give at least 1.")
        self.centres = nn.Parameter(torch.randn(n_classes, dim) / dim**0.5)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Measure: (B, dim) and (B,) whole numbers from 0 to a number."""
        return (embeddings - self.centres[labels]).square().sum(dim=1).mean()
