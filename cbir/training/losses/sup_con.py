"""Supervised contrastive loss: all of one's class against all others."""

from __future__ import annotations

from torch import Tensor, nn


class SupConLoss(nn.Module):
    """The surprise of each like one among all others, by cosine; the mean over an anchor's, then all.

    Args:
        temperature: divides the cosines; > 0.

    Source: Khosla et al., NeurIPS 2020, eq. 2.
    """

    def __init__(self, temperature: float = 0.1) -> None:
        from pytorch_metric_learning import losses

        super().__init__()
        self.measure = losses.SupConLoss(temperature=temperature)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Measure: (B, dim) and (B,) codes to a number."""
        loss: Tensor = self.measure(embeddings, labels)
        return loss
