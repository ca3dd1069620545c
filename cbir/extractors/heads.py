"""Trained heads: what stands on a backbone and gives the embedding in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor, nn
from torch.nn.functional import normalize

from cbir.errors import SpecError


class MetricHead(nn.Module):
    """The head of metric learning: D → 1024 → 512 → 512, to unit length.

    Each of the first two layers is followed by batch norm, ReLU and dropout (.3, .2), the last by batch norm.

    Args:
        dim: D, of the backbone's vectors.

    Source: the super-ensemble's notebook (arXiv 2508.04790).
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.Linear(dim, 1024), nn.BatchNorm1d(1024), nn.ReLU(), nn.Dropout(0.3)),
            *(nn.Linear(1024, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Dropout(0.2)),
            *(nn.Linear(512, 512), nn.BatchNorm1d(512)),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Give unit vectors: (B, D) to (B, 512)."""
        return normalize(self.layers(features), dim=1)


class HeadedBackbone(nn.Module):
    """A backbone and the head on it: (B, 3, H, W) to the head's vectors."""

    def __init__(self, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, pixels: Tensor) -> Tensor:
        """Embed."""
        features: Tensor = self.head(self.backbone(pixels))
        return features


HEADS: Mapping[str, Callable[[int], nn.Module]] = {"metric": MetricHead}
"""Every head by the name that a backbone's arguments call it; made for a backbone's dim."""


def create_head(name: str, dim: int) -> nn.Module:
    """Make a head in eval mode, its weights still random.

    Raises:
        SpecError: no such head.
    """
    if name not in HEADS:
        raise SpecError(f"Head {name!r} is unknown; use one of {', '.join(HEADS)}.")
    return HEADS[name](dim).eval()
