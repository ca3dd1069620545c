"""An image to the numbers that one network takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from cbir.images.steps import Normalise, Raster

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbir.images.image import Image
    from cbir.images.steps import Step


def prepare(image: Image, steps: Sequence[Step]) -> NDArray[np.float32]:
    """Apply the steps in order.

    Args:
        image: as read; left as it is.
        steps: a ``Normalise`` comes last, and only there.

    Returns:
        (3, height, width), contiguous.

    Raises:
        ValueError: the steps do not end in the only ``Normalise``.
    """
    kinds = [isinstance(step, Normalise) for step in steps]
    if kinds != [False] * (len(steps) - 1) + [True]:
        names = ", ".join(step.name for step in steps) or "none"
        raise ValueError(f"The steps are {names}; end them with normalise, and use it only there.")
    raster = Raster(image.pixels, image.white)
    for step in steps:
        raster = step.apply(raster)
    return cast("NDArray[np.float32]", np.ascontiguousarray(raster.pixels))
