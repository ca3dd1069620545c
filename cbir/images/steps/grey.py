"""Pixels to the 8-bit grey that descriptors are defined on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cbir.images.steps.step import Raster

_LUMA = (0.299, 0.587, 0.114)
_WHITE_8_BIT = 255.0


@dataclass(frozen=True, slots=True)
class Grey:
    """Luminance, in whole numbers from 0 to 255; always the last step, in the place of ``normalise``.

    Source: the weights are those of ITU-R BT.601.
    """

    name: ClassVar[str] = "grey"

    def apply(self, raster: Raster) -> Raster:
        """Turn grey: (H, W) or (H, W, 3) to contiguous (1, H, W) float32."""
        pixels = raster.pixels.astype(np.float32)
        luma = pixels if raster.is_grey else pixels @ np.array(_LUMA, dtype=np.float32)
        grey = np.rint(luma * np.float32(_WHITE_8_BIT / raster.white)).clip(0.0, _WHITE_8_BIT)
        return Raster(grey[np.newaxis].astype(np.float32), _WHITE_8_BIT)
