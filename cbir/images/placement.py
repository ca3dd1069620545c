"""Where in an image a network's pixels lie: a step for the decode pool alone, which knows what was cut."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from cbir.images.steps import (
    CentreCrop,
    CropBreast,
    Flip,
    Normalise,
    Raster,
    Resize,
    Rotate,
    Step,
    step_from_dict,
    step_to_dict,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbir.images.image import Pixels

    Affine = NDArray[np.float64]

_N_NUMBERS = 6


@dataclass(frozen=True, slots=True)
class Placement:
    """Replace an image by the affine map that a list of steps comes to; no spec can name it.

    Args:
        steps: as JSON. They are carried out, for what a crop keeps depends on the pixels.
    """

    name: ClassVar[str] = "placement"

    steps: str

    def apply(self, raster: Raster) -> Raster:
        """Give (1, 6): the matrix from a point of the prepared image to the point of this one."""
        matrix = np.eye(3)
        for settings in json.loads(self.steps):
            step = step_from_dict(settings)
            matrix = matrix @ _back(step, raster)
            raster = step.apply(raster)
        return Raster(cast("Pixels", matrix[:2].reshape(1, _N_NUMBERS).astype(np.float32)), 1.0)


def placement_plan(steps: Sequence[Step]) -> tuple[Step, ...]:
    """What a pool is given, to learn where the branch of these steps lies."""
    text = json.dumps([step_to_dict(step) for step in steps[:-1]])
    return (Placement(text), Normalise((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))


def read_placements(prepared: NDArray[np.float32]) -> NDArray[np.float64]:
    """Read what ``placement_plan`` made of an image, or of its tiles.

    Args:
        prepared: (n_tiles, 3, 1, 6), as a decoded frame holds it.

    Returns:
        (n_tiles, 2, 3): from (x, y, 1) in the prepared image, pixels from its upper left corner, to x, y in
        the image as read, or in the tile.
    """
    placements: NDArray[np.float64] = prepared[:, 0, 0].reshape(-1, 2, 3).astype(np.float64)
    return placements


def _back(step: Step, raster: Raster) -> Affine:
    """From a point after the step to the one before it; (0, 0) is a corner, not the middle of a pixel."""
    height, width = raster.pixels.shape[:2]
    if isinstance(step, CropBreast):
        top, _, left, _ = step.box(raster)
        return _affine(1, 1, left, top)
    if isinstance(step, CentreCrop):
        left, top = max((width - step.width_px) // 2, 0), max((height - step.height_px) // 2, 0)
        return _affine(1, 1, left, top)
    if isinstance(step, Flip):
        return _affine(-1, 1, width, 0)
    if isinstance(step, Rotate):
        return _turned(step.degrees, width / 2, height / 2)
    if isinstance(step, Resize):
        x, y, of_width, of_height = step.source_box(height, width)
        return _affine(of_width / step.width_px, of_height / step.height_px, x, y)
    return np.eye(3)


def _turned(degrees: float, x: float, y: float) -> Affine:
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    about_origin = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    turned: Affine = _affine(1, 1, x, y) @ about_origin @ _affine(1, 1, -x, -y)
    return turned


def _affine(across: float, down: float, right: float, below: float) -> Affine:
    return np.array([[across, 0.0, right], [0.0, down, below], [0.0, 0.0, 1.0]])
