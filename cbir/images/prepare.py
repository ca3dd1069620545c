"""An image to the numbers that networks take."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from cbir.images.steps import Grey, Normalise, Raster

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbir.images.image import Image
    from cbir.images.steps import Step
    from cbir.images.tiles import Box

    Plan = Sequence[Step]

_LAST = (Normalise, Grey)


def prepare(image: Image, steps: Plan) -> NDArray[np.float32]:
    """Apply the steps in order.

    Args:
        image: as read; left as it is.
        steps: a ``Normalise``, or a ``Grey``, comes last, and only there.

    Returns:
        (channels, height, width), contiguous; three channels, of grey one.

    Raises:
        ValueError: the steps do not end in the only ``Normalise`` or ``Grey``.
    """
    prepared: NDArray[np.float32] = prepare_all(image, [steps], ())[0][0]
    return prepared


def prepare_all(image: Image, plans: Sequence[Plan], boxes: Sequence[Box]) -> list[NDArray[np.float32]]:
    """Apply several lists of steps to an image, or to tiles of it; what they begin with in common, once.

    Args:
        image: as read; left as it is.
        plans: each as ``prepare`` takes it.
        boxes: tiles; none for the image as a whole.

    Returns:
        One a plan, (n_tiles, channels, height, width), contiguous.

    Raises:
        ValueError: steps that ``prepare`` would refuse.
    """
    for steps in plans:
        _check(steps)
    whole = Raster(image.pixels, image.white)
    tiles = [Raster(image.pixels[y : y + h, x : x + w], image.white) for x, y, w, h in boxes] or [whole]
    prepared = [_apply_all(tile, plans) for tile in tiles]
    return [np.stack(tiles_of_plan) for tiles_of_plan in zip(*prepared, strict=True)]


def _apply_all(raster: Raster, plans: Sequence[Plan]) -> list[NDArray[np.float32]]:
    done: dict[tuple[Step, ...], Raster] = {(): raster}
    for steps in plans:
        for n in range(1, len(steps) + 1):
            reached = tuple(steps[:n])
            if reached not in done:
                done[reached] = steps[n - 1].apply(done[reached[:-1]])
    return [cast("NDArray[np.float32]", done[tuple(steps)].pixels) for steps in plans]


def _check(steps: Plan) -> None:
    kinds = [isinstance(step, _LAST) for step in steps]
    if kinds != [False] * (len(steps) - 1) + [True]:
        names = ", ".join(step.name for step in steps) or "none"
        raise ValueError(f"The steps are {names}; end them with normalise or grey, and use it only there.")
