"""Brightness and contrast, changed by fixed factors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from cbir.errors import SpecError
from cbir.images.steps.step import Raster

if TYPE_CHECKING:
    from cbir.images.image import Pixels

_LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True)
class Jitter:
    """Multiply by the brightness; then move away from the mean grey by the contrast. Values stay in range.

    Args:
        brightness: 1 changes nothing, > 0.
        contrast: 1 changes nothing, > 0.

    Raises:
        SpecError: a factor that is not positive.

    Source: torchvision's ColorJitter, with the factors given instead of drawn.
    """

    name: ClassVar[str] = "jitter"

    brightness: float = 1.0
    contrast: float = 1.0

    def __post_init__(self) -> None:
        for setting, value in (("brightness", self.brightness), ("contrast", self.contrast)):
            if not 0 < value < float("inf"):
                raise SpecError(f"Step jitter: {setting} is {value}; it must be a positive number.")

    def apply(self, raster: Raster) -> Raster:
        """Change; the depth stays, whole numbers are rounded."""
        bright = np.clip(raster.pixels * np.float32(self.brightness), 0.0, raster.white)
        grey = bright if raster.is_grey else bright @ np.array(_LUMA, dtype=np.float32)
        contrast = np.float32(self.contrast)
        changed = np.clip(contrast * bright + (1 - contrast) * grey.mean(), 0.0, raster.white)
        if raster.pixels.dtype != np.float32:
            changed = np.rint(changed)
        return Raster(cast("Pixels", changed.astype(raster.pixels.dtype)), raster.white)
