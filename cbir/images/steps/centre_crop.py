"""Keep the middle of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from cbir.errors import SpecError
from cbir.images.steps.step import Raster

if TYPE_CHECKING:
    from cbir.images.image import Pixels


@dataclass(frozen=True, slots=True)
class CentreCrop:
    """Cut to the middle; a side that is shorter already stays.

    Args:
        height_px: of the result, >= 1.
        width_px: of the result, >= 1.

    Raises:
        SpecError: a side below 1.
    """

    name: ClassVar[str] = "centre_crop"

    height_px: int
    width_px: int

    def __post_init__(self) -> None:
        for side, value in (("height_px", self.height_px), ("width_px", self.width_px)):
            if value < 1:
                raise SpecError(f"Step centre_crop: {side} is {value}; it must be 1 or more.")

    def apply(self, raster: Raster) -> Raster:
        """Cut; contiguous."""
        height, width = raster.pixels.shape[:2]
        top, left = max((height - self.height_px) // 2, 0), max((width - self.width_px) // 2, 0)
        kept = raster.pixels[top : top + self.height_px, left : left + self.width_px]
        return Raster(cast("Pixels", np.ascontiguousarray(kept)), raster.white)
