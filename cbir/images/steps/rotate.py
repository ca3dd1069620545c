"""Turn an image about its centre."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from cbir.errors import SpecError
from cbir.images.steps.step import Raster

if TYPE_CHECKING:
    from cbir.images.image import Pixels


@dataclass(frozen=True, slots=True)
class Rotate:
    """Turn counter-clockwise about the centre; the size stays, what comes from outside is black.

    Args:
        degrees: finite.

    Raises:
        SpecError: the angle is not finite.
    """

    name: ClassVar[str] = "rotate"

    degrees: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.degrees):
            raise SpecError(f"Step rotate: degrees is {self.degrees}; it must be a finite number.")

    def apply(self, raster: Raster) -> Raster:
        """Turn, with linear interpolation."""
        import cv2

        height, width = raster.pixels.shape[:2]
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), self.degrees, 1.0)
        turned = cv2.warpAffine(raster.pixels, matrix, (width, height), flags=cv2.INTER_LINEAR)
        return Raster(cast("Pixels", turned), raster.white)
