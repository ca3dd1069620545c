"""The hybrid of a convolutional network and a transformer, that is trained with distance-aware learning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from classifiers.networks.backbone import Backbone
from classifiers.networks.network import ClassifierNetwork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classifiers.networks.backbone import Seen

_DIM, _N_HEADS, _FEED_FORWARD, _DROPOUT = 128, 2, 256, 0.1
_HIDDEN = 512
_POSITION_STD = 0.02


class TokenHead(nn.Module):
    """Feature maps to tokens with learned positions, through one encoder layer, to 128 numbers.

    Each place of each map is a token: a 1×1 convolution gives it 128 numbers. The mean of the encoded tokens
    goes through 512 (dropout .5) and 128 (dropout .3) ReLU units.

    Args:
        maps: (channels, height, width) of each, the finest first.

    Source: Sci Rep 2026, 16(1), doi 10.1038/s41598-026-40906-8.
    """

    def __init__(self, maps: Sequence[tuple[int, int, int]]) -> None:
        super().__init__()
        self.reduce = nn.ModuleList(nn.Conv2d(channels, _DIM, kernel_size=1) for channels, _, _ in maps)
        n_tokens = sum(height * width for _, height, width in maps)
        self.positions = nn.Parameter(torch.empty(1, n_tokens, _DIM))
        nn.init.trunc_normal_(self.positions, std=_POSITION_STD)
        self.encoder = nn.TransformerEncoderLayer(
            _DIM, _N_HEADS, _FEED_FORWARD, _DROPOUT, activation="gelu", batch_first=True
        )
        self.layers = nn.Sequential(
            *(nn.Linear(_DIM, _HIDDEN), nn.ReLU(), nn.Dropout(0.5)),
            *(nn.Linear(_HIDDEN, _DIM), nn.ReLU(), nn.Dropout(0.3)),
        )

    def forward(self, seen: Sequence[Seen], _described: Tensor | None = None) -> Tensor:
        """Give (B, 128)."""
        embedded: Tensor = self.layers(self.encoder(self.tokens(seen[0])).mean(dim=1))
        return embedded

    def tokens(self, seen: Seen) -> Tensor:
        """(B, n_tokens, 128): the maps' places, row by row, with their positions."""
        reduced = [reduce(each) for reduce, each in zip(self.reduce, seen.maps, strict=True)]
        return torch.cat([each.flatten(2).transpose(1, 2) for each in reduced], dim=1) + self.positions


def dal_hybrid(
    model: nn.Module, name: str, n_classes: int, input_shape: tuple[int, int, int], *, scales: str
) -> ClassifierNetwork:
    """Make the network, its head drawn at random.

    Args:
        model: of timm, without a classifier.
        name: of the model, in errors.
        n_classes: of the labels.
        input_shape: (3, H, W).
        scales: ``C5``, the last feature map; ``C4+C5``, also the last of twice its resolution.

    Raises:
        SpecError: C4 of a network that has one resolution throughout.
    """
    backbone = Backbone(model, name, n_maps=2 if scales == "C4+C5" else 1)
    with torch.inference_mode():
        maps = backbone.eval()(torch.zeros(1, *input_shape)).maps
    head = TokenHead([(each.shape[1], each.shape[2], each.shape[3]) for each in maps])
    return ClassifierNetwork([backbone], head, dim=_DIM, n_classes=n_classes, input_shape=input_shape)
