"""Multi-similarity loss: pairs weighted by how they compare with the other pairs of their anchor."""

from __future__ import annotations

from torch import Tensor, nn


class MultiSimilarityLoss(nn.Module):
    """Of mined pairs, soft maxima of the unlike ones' cosines and of the like ones' lack of them.

    Args:
        alpha: how much the furthest of the like count before the others.
        beta: how much the nearest of the unlike do.
        base: the cosine that parts them.
        epsilon: a pair is mined where it is no further than this from being in the wrong order.

    Source: Wang et al., CVPR 2019, eq. 10, 13 and 15.
    """

    def __init__(
        self, alpha: float = 2.0, beta: float = 50.0, base: float = 0.5, epsilon: float = 0.1
    ) -> None:
        from pytorch_metric_learning import losses, miners

        super().__init__()
        self.mine = miners.MultiSimilarityMiner(epsilon=epsilon)
        self.measure = losses.MultiSimilarityLoss(alpha=alpha, beta=beta, base=base)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Measure: (B, dim) and (B,) codes to a number."""
        loss: Tensor = self.measure(embeddings, labels, self.mine(embeddings, labels))
        return loss
