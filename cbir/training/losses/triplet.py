"""Triplet loss: what is alike lies nearer than what is not, by a margin."""

from __future__ import annotations

from torch import Tensor, nn


class TripletLoss(nn.Module):
    """How far each mined triplet falls short of its margin, the mean over those that do.

    Distances are Euclidean, between unit vectors. For an anchor, ``easy`` is the nearest of its class and the
    furthest of another, ``hard`` the other way round; ``semihard`` is the nearest of another class beyond the
    chosen one of its own. An anchor that has none is left out; a batch without triplets measures 0.

    Args:
        margin: by which the unlike one should lie further away.
        positives: which of its own class: ``easy``, ``hard`` or ``all``.
        negatives: which of others: ``semihard``, ``hard``, ``easy`` or ``all``.

    Source: Schroff et al., CVPR 2015; mining: Xuan et al., WACV 2020.
    """

    def __init__(self, margin: float = 0.05, positives: str = "easy", negatives: str = "semihard") -> None:
        from pytorch_metric_learning.losses import TripletMarginLoss
        from pytorch_metric_learning.miners import BatchEasyHardMiner

        super().__init__()
        self.mine = BatchEasyHardMiner(pos_strategy=positives, neg_strategy=negatives)
        self.measure = TripletMarginLoss(margin=margin)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Measure: (B, dim) and (B,) codes to a number."""
        loss: Tensor = self.measure(embeddings, labels, self.mine(embeddings, labels))
        return loss
