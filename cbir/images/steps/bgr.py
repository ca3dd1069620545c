"""Blue before red."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from cbir.images.steps.step import Raster

if TYPE_CHECKING:
    from cbir.images.image import Pixels


@dataclass(frozen=True, slots=True)
class Bgr:
    """Turn the channels round, for weights that read blue first, as Caffe's do; grey stays.

    With ``Normalise`` behind it, means and deviations are those of blue, green, red. Caffe's preprocessing is
    this step, then mean (103.939, 116.779, 123.68) / 255 and std 1 / 255.
    """

    name: ClassVar[str] = "bgr"

    def apply(self, raster: Raster) -> Raster:
        """Turn round; contiguous."""
        if raster.is_grey:
            return raster
        return Raster(cast("Pixels", np.ascontiguousarray(raster.pixels[..., ::-1])), raster.white)
