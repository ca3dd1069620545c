"""Networks and handcrafted descriptors, joined under one last layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from cbir.errors import SpecError
from classifiers.networks.backbone import Backbone
from classifiers.networks.network import ClassifierNetwork

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from classifiers.networks.backbone import Seen

_HIDDEN, _DESCRIBED, _DROPOUT = 512, 256, 0.3
_NOTHING = 1e-6
"""Of the largest standard deviation: less is none."""


class FusionHead(nn.Module):
    """The pooled vectors of all backbones, and 256 numbers made of the descriptors', one behind the other.

    The descriptors' numbers: z-score → 512, batch norm, ReLU, dropout .3 → 256.

    Args:
        n_described: of the descriptors' numbers; 0 for none.

    Source: arXiv 2507.19843.
    """

    mean: Tensor
    inverse: Tensor

    def __init__(self, n_described: int) -> None:
        super().__init__()
        self.n_described = n_described
        self.register_buffer("mean", torch.zeros(n_described))
        self.register_buffer("inverse", torch.ones(n_described))
        self.layers = (
            nn.Sequential(
                *(nn.Linear(n_described, _HIDDEN), nn.BatchNorm1d(_HIDDEN), nn.ReLU()),
                *(nn.Dropout(_DROPOUT), nn.Linear(_HIDDEN, _DESCRIBED)),
            )
            if n_described
            else None
        )

    @property
    def n_added(self) -> int:
        """How many numbers stand behind the backbones'."""
        return _DESCRIBED if self.n_described else 0

    def forward(self, seen: Sequence[Seen], described: Tensor | None = None) -> Tensor:
        """Give (B, dim): the fused vectors, not normalised.

        Raises:
            ValueError: descriptors' numbers are missing, or of another count.
        """
        vectors = [each.pooled for each in seen]
        if self.layers is not None:
            if described is None or described.shape[1] != self.n_described:
                got = "none" if described is None else str(described.shape[1])
                raise ValueError(f"hybrid-fusion takes {self.n_described} described numbers; got {got}.")
            vectors.append(self.layers((described - self.mean) * self.inverse))
        return torch.cat(vectors, dim=1)

    def fit_z_score(self, described: NDArray[np.float32]) -> None:
        """Take the mean and the deviation of what is trained on; what does not vary counts as 0.

        Args:
            described: (n_images, n_described), of the training part alone.
        """
        values = torch.from_numpy(described).double()
        spread = values.std(dim=0, correction=0)
        varies = spread > spread.max() * _NOTHING
        inverse = torch.where(varies, 1 / spread.where(varies, torch.ones_like(spread)), 0.0)
        self.mean.copy_(values.mean(dim=0))
        self.inverse.copy_(inverse)


def hybrid_fusion(
    models: Sequence[tuple[nn.Module, str]],
    n_classes: int,
    input_shape: tuple[int, int, int],
    *,
    n_described: int,
) -> ClassifierNetwork:
    """Make the network; all but the backbones is drawn at random.

    Args:
        models: of timm, without classifiers, and their names.
        n_classes: of the labels.
        input_shape: (3, H, W).
        n_described: numbers of the descriptors; 0 for none.

    Raises:
        SpecError: one network, and nothing to join it with.
    """
    if len(models) == 1 and not n_described:
        raise SpecError(
            f"hybrid-fusion joins networks and descriptors, and there is {models[0][1]} alone; start from an "
            "extractor with more branches, as r50+hc."
        )
    backbones = [Backbone(model, name).eval() for model, name in models]
    head = FusionHead(n_described)
    with torch.inference_mode():
        pooled = [cast("Seen", each(torch.zeros(1, *input_shape))).pooled for each in backbones]
    dim = sum(each.shape[1] for each in pooled) + head.n_added
    return ClassifierNetwork(backbones, head, dim=dim, n_classes=n_classes, input_shape=input_shape)
