"""Boxes and turns, drawn as torchvision draws them, from a generator that is handed in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Box = tuple[float, float, float, float]
"""Top, left, height, width."""

_TRIES = 10
_CROP_RATIOS = (3 / 4, 4 / 3)


def drawn_box(
    random: np.random.Generator,
    size: tuple[float, float],
    *,
    areas: tuple[float, float],
    ratios: tuple[float, float],
) -> Box | None:
    """Draw a box within a size: first its area and its ratio, until it fits, then its place.

    Always draws as many numbers.

    Args:
        random: drawn from.
        size: height and width.
        areas: least and most, as shares.
        ratios: least and most, width to height.

    Returns:
        The box; None where none of ten fits.
    """
    height, width = size
    for area, ratio, y, x in random.random((_TRIES, 4)):
        drawn_area = height * width * (areas[0] + area * (areas[1] - areas[0]))
        drawn_ratio = ratios[0] * (ratios[1] / ratios[0]) ** ratio
        tall, wide = math.sqrt(drawn_area / drawn_ratio), math.sqrt(drawn_area * drawn_ratio)
        if tall <= height and wide <= width:
            return y * (height - tall), x * (width - wide), tall, wide
    return None


def drawn_affine(
    random: np.random.Generator,
    size: tuple[int, int],
    *,
    least_area: float,
    flips: tuple[float, float],
    most_deg: float,
) -> NDArray[np.float64]:
    """Draw a crop, two flips and a turn about the crop's middle, in this order.

    Always draws as many numbers.

    Args:
        random: drawn from.
        size: height and width of the result.
        least_area: of the crop.
        flips: the chances to be mirrored horizontally and vertically.
        most_deg: of the turn, either way.

    Returns:
        (2, 3), from the result's coordinates to the image's, both from -1 to 1, x before y.
    """
    crop = drawn_box(random, (1.0, 1.0), areas=(least_area, 1.0), ratios=_CROP_RATIOS)
    signs = np.where(random.random(2) < flips, -1.0, 1.0)
    angle_deg = most_deg * random.uniform(-1, 1)
    # An area of 1 fits at the ratio 1 alone, which is never drawn.
    return affine(crop or (0.0, 0.0, 1.0, 1.0), signs, angle_deg, size)


def affine(
    crop: Box, signs: NDArray[np.float64], angle_deg: float, size: tuple[int, int]
) -> NDArray[np.float64]:
    """From the result's coordinates, turned, mirrored and laid over the crop.

    Args:
        crop: in shares of the image.
        signs: of x and y; -1 mirrors.
        angle_deg: above 0 turns the image to the left.
        size: height and width of the result, whose pixels are square.
    """
    top, left, height, width = crop
    angle, aspect = math.radians(angle_deg), size[0] / size[1]
    turn = np.array(
        [
            [math.cos(angle), -math.sin(angle) * aspect],
            [math.sin(angle) / aspect, math.cos(angle)],
        ]
    )
    scale = signs * (width, height)
    middle = np.array([2 * left + width - 1, 2 * top + height - 1])
    return np.column_stack([scale[:, None] * turn, middle])
