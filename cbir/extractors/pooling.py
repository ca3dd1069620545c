"""A feature map to one vector."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

_GEM_FLOOR = 1e-6


def average(features: Tensor) -> Tensor:
    """Pool (B, C, H, W) to (B, C) with the mean."""
    return features.mean(dim=(2, 3))


def maximum(features: Tensor) -> Tensor:
    """Pool (B, C, H, W) to (B, C) with the maximum."""
    return features.amax(dim=(2, 3))


def gem(features: Tensor, p: float = 3.0) -> Tensor:
    """Pool a feature map with the generalised mean.

    p = 1 is average pooling; p → infinity approaches max pooling.

    Args:
        features: (B, C, H, W), values >= 0 (clamped to 1e-6).
        p: exponent, > 0.

    Returns:
        (B, C), not normalised.

    Raises:
        ValueError: p is not positive.

    Source: Radenović et al., TPAMI 2019, eq. 3.
    """
    if p <= 0:
        raise ValueError(f"gem: p is {p}; it must be positive.")
    return features.clamp(min=_GEM_FLOOR).pow(p).mean(dim=(2, 3)).pow(1.0 / p)


POOLINGS: dict[str, Callable[[Tensor], Tensor]] = {"avg": average, "max": maximum, "gem": gem}
"""Every pooling by the name that a spec calls it; ``model`` is the network's own and needs none."""
