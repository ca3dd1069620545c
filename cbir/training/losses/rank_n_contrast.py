"""Rank-N-Contrast: who differs more in label lies further away."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_LEAST = 2


class RankNContrastLoss(nn.Module):
    """For every pair, its nearness against that of all whose labels differ at least as much.

    Nearness is the negative Euclidean distance. Made for labels with an order, such as BI-RADS.

    Args:
        temperature: divides the nearness; > 0.

    Raises:
        ValueError: the temperature is not positive.

    Source: Zha et al., NeurIPS 2023, eq. 1 and 2.
    """

    def __init__(self, temperature: float = 2.0) -> None:
        super().__init__()
        if not temperature > 0:
            raise ValueError(f"The temperature is {temperature}; it must be positive.")
        self.temperature = temperature

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Measure: (B, dim) and (B,) ranks, whole or not, to a number; 0 of fewer than two embeddings."""
        n = len(embeddings)
        if n < _LEAST:
            return embeddings.sum() * 0
        others = ~torch.eye(n, dtype=torch.bool, device=embeddings.device)
        nearness = -_distances(embeddings) / self.temperature
        gaps = (labels[:, None] - labels[None, :]).abs()
        # For the anchor i and the pair (i, j): all k but i whose labels are no nearer than j's.
        in_set = (gaps[:, None, :] >= gaps[:, :, None]) & others[:, None, :]
        of_set = nearness[:, None, :].masked_fill(~in_set, -torch.inf).logsumexp(dim=2)
        return (of_set - nearness)[others].mean()


def _distances(embeddings: Tensor) -> Tensor:
    """Euclidean, (B, B); where two embeddings are equal the gradient is 0, not infinite."""
    squared = (embeddings[:, None] - embeddings[None, :]).square().sum(dim=2)
    is_zero = squared == 0
    return squared.masked_fill(is_zero, 1.0).sqrt().masked_fill(is_zero, 0.0)
