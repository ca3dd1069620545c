"""Left becomes right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from cbir.images.steps.step import Raster

if TYPE_CHECKING:
    from cbir.images.image import Pixels


@dataclass(frozen=True, slots=True)
class Flip:
    """Mirror at the vertical axis."""

    name: ClassVar[str] = "flip"

    def apply(self, raster: Raster) -> Raster:
        """Mirror; contiguous."""
        return Raster(cast("Pixels", np.ascontiguousarray(raster.pixels[:, ::-1])), raster.white)
