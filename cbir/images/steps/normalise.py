"""Pixels to the numbers that a network was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cbir.errors import SpecError
from cbir.images.steps.step import Raster

_N_CHANNELS = 3


@dataclass(frozen=True, slots=True)
class Normalise:
    """Scale to 0..1, subtract the mean, divide by the deviation; always the last step.

    Grey becomes three equal channels first.

    Args:
        mean: of red, green, blue, for values from 0 to 1.
        std: of red, green, blue, > 0.

    Raises:
        SpecError: not three numbers, or a deviation that is not positive.
    """

    name: ClassVar[str] = "normalise"

    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __post_init__(self) -> None:
        if {len(self.mean), len(self.std)} != {_N_CHANNELS} or not np.isfinite([*self.mean, *self.std]).all():
            raise SpecError(f"Step normalise: mean {self.mean}, std {self.std}; each must be three numbers.")
        if min(self.std) <= 0:
            raise SpecError(f"Step normalise: std is {self.std}; each number must be above 0.")

    def apply(self, raster: Raster) -> Raster:
        """Normalise: (H, W) or (H, W, 3) to contiguous (3, H, W) float32, red first."""
        scale = (1.0 / (raster.white * np.array(self.std))).astype(np.float32)
        offset = (np.array(self.mean) / np.array(self.std)).astype(np.float32)
        planes = np.empty((_N_CHANNELS, *raster.pixels.shape[:2]), dtype=np.float32)
        for channel in range(_N_CHANNELS):
            source = raster.pixels if raster.is_grey else raster.pixels[..., channel]
            np.multiply(source, scale[channel], out=planes[channel])
            planes[channel] -= offset[channel]
        return Raster(planes, 1.0)
