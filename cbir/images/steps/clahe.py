"""Contrast-limited adaptive histogram equalisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from cbir.errors import SpecError
from cbir.images.steps.step import Raster

if TYPE_CHECKING:
    from cbir.images.image import Pixels

_WHITE_16_BIT = 65535.0
_MAX_TILES = 256


@dataclass(frozen=True, slots=True)
class Clahe:
    """OpenCV's CLAHE, in the raster's own depth; colour: on the luma of YCrCb.

    float32 is equalised in, and comes back as, 16 bits. The clip limit counts against the grey levels of
    the depth, so that 16-bit tiles of much fewer than 65,536 pixels are equalised almost without a limit:
    put the step before a ``resize``.

    Args:
        clip: how much steeper than even the histogram may get, > 0.
        tiles: so many rows, and columns, of tiles; >= 1.

    Raises:
        SpecError: a value out of its range.

    Source: Zuiderveld, Graphics Gems IV, 1994.
    """

    name: ClassVar[str] = "clahe"

    clip: float = 2.0
    tiles: int = 8

    def __post_init__(self) -> None:
        if not 0 < self.clip < float("inf"):
            raise SpecError(f"Step clahe: clip is {self.clip}; it must be a positive number.")
        if not 1 <= self.tiles <= _MAX_TILES:
            raise SpecError(f"Step clahe: tiles is {self.tiles}; it must be from 1 to {_MAX_TILES}.")

    def apply(self, raster: Raster) -> Raster:
        """Equalise."""
        import cv2

        pixels, white = raster.pixels, raster.white
        if pixels.dtype == np.float32:
            pixels = np.clip(np.rint(pixels * (_WHITE_16_BIT / white)), 0, _WHITE_16_BIT).astype(np.uint16)
            white = _WHITE_16_BIT
        equaliser = cv2.createCLAHE(clipLimit=self.clip, tileGridSize=(self.tiles, self.tiles))
        if raster.is_grey:
            return Raster(cast("Pixels", equaliser.apply(np.ascontiguousarray(pixels))), white)
        ycc = cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2YCrCb)
        ycc[..., 0] = equaliser.apply(np.ascontiguousarray(ycc[..., 0]))
        return Raster(cast("Pixels", cv2.cvtColor(ycc, cv2.COLOR_YCrCb2RGB)), white)
