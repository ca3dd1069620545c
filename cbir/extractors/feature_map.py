"""A network that also gives the feature map its vector was made of."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

_MAP_NDIM, _TOKENS_NDIM = 4, 3


class WithFeatures(nn.Module):
    """Pixels to the network's own vectors, and the last map behind them.

    The map is the one that the network itself computes on the way, caught where timm's networks hand it on
    (``forward_features``): it costs nothing, and no layer is run twice.

    Args:
        network: as ``build_backbone`` makes it.
        core: the part of it that computes the map.
    """

    def __init__(self, network: nn.Module, core: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.core = core

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Give (B, dim), and (B, D, H, W); of a transformer its patch tokens, on their grid.

        Raises:
            ValueError: the network gives no such map.
        """
        vectors, caught = _caught(self.network, self.core, pixels)
        features = None if caught is None else _as_map(caught, self.core)
        if features is None:
            raise ValueError("The network gives no feature map.")
        return vectors, features


def with_features(network: nn.Module, input_shape: tuple[int, int, int]) -> WithFeatures | None:
    """Make a network give its map, too; None where it has none, or one of a single position.

    Args:
        network: as ``build_backbone`` makes it, in eval mode, on the CPU.
        input_shape: channels, height, width.
    """
    core = next((module for module in network.modules() if hasattr(module, "forward_features")), None)
    if core is None:
        return None
    with torch.inference_mode():
        _, caught = _caught(network, core, torch.zeros(1, *input_shape))
        features = None if caught is None else _as_map(caught, core)
    if features is None or features.shape[2] * features.shape[3] < 2:  # noqa: PLR2004 (one place is no map)
        return None
    return WithFeatures(network, core)


def _caught(network: nn.Module, core: nn.Module, pixels: Tensor) -> tuple[Tensor, Tensor | None]:
    """The network's vectors, and what its core gave last on the way to them."""
    given: list[object] = []
    original = core.forward_features

    def forward_features(*args: object, **settings: object) -> object:
        given.append(original(*args, **settings))  # type: ignore[operator]  # timm's
        return given[-1]

    core.forward_features = forward_features  # type: ignore[assignment]  # on this instance, for this call
    try:
        vectors = cast("Tensor", network(pixels))
    finally:
        del core.forward_features
    last = given[-1] if given else None
    return vectors, last if isinstance(last, Tensor) else None


def _as_map(features: Tensor, core: nn.Module) -> Tensor | None:
    """(B, D, H, W) of a map in either layout, or of tokens whose grid the network knows."""
    if features.ndim == _MAP_NDIM:
        return features if getattr(core, "output_fmt", "NCHW") == "NCHW" else features.permute(0, 3, 1, 2)
    grid = getattr(getattr(core, "patch_embed", None), "grid_size", None)
    if features.ndim != _TOKENS_NDIM or grid is None:
        return None
    n_before = int(cast("int", getattr(core, "num_prefix_tokens", 0)))
    rows, columns = (int(side) for side in grid)
    patches = features[:, n_before:]
    if patches.shape[1] != rows * columns:
        return None
    return patches.transpose(1, 2).reshape(-1, features.shape[2], rows, columns)
