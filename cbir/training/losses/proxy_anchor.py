"""Proxy anchor loss: a learnt point for every class, to which its images are drawn and others are not."""

from __future__ import annotations

from torch import Tensor, nn


class ProxyAnchorLoss(nn.Module):
    """Soft maxima of how far a class's own lie from its point, and how near the others do, by cosine.

    The points are parameters, learnt at the rate of new layers.

    Args:
        n_classes: how many points.
        dim: of the embeddings.
        margin: to both sides of cosine 0.
        alpha: how much the worst count before the others.

    Source: Kim et al., CVPR 2020, eq. 4.
    """

    def __init__(self, n_classes: int, dim: int, margin: float = 0.1, alpha: float = 32.0) -> None:
        from pytorch_metric_learning import losses

        super().__init__()
        self.measure = losses.ProxyAnchorLoss(n_classes, dim, margin=margin, alpha=alpha)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Measure: (B, dim) and (B,) codes to a number."""
        loss: Tensor = self.measure(embeddings, labels)
        return loss
