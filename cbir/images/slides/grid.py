"""Where the tiles of a slide lie."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.images.tiles import Box


def tile_starts(length: int, side: float, overlap: float) -> NDArray[np.int64]:
    """Along one axis, evenly spread, the outer ones at the edges; one at 0 where the slide is smaller.

    Args:
        length: of the slide, in pixels of level 0.
        side: of a tile, likewise.
        overlap: of neighbours at least, as a share of the side.
    """
    if length <= side:
        return np.zeros(1, dtype=np.int64)
    n = n_starts(length, side, overlap)
    return np.rint(np.linspace(0, length - side, n)).astype(np.int64)


def n_starts(length: int, side: float, overlap: float) -> int:
    """How many there are."""
    return 1 if length <= side else math.ceil((length - side) / (side * (1 - overlap))) + 1


def tissue_share(
    mask: NDArray[np.bool_], size: tuple[int, int], xs: NDArray[np.int64], ys: NDArray[np.int64], side: float
) -> NDArray[np.float64]:
    """How much of each tile is tissue.

    Args:
        mask: of the whole slide, made small.
        size: width and height of the slide at level 0.
        xs: left edges of the tiles, at level 0.
        ys: top edges.
        side: of a tile, at level 0.

    Returns:
        (len(ys), len(xs)), 0 to 1; of what lies on the slide.
    """
    integral = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), dtype=np.int64)
    integral[1:, 1:] = mask.cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
    left, right = _in_mask(xs, side, size[0], mask.shape[1])
    top, bottom = _in_mask(ys, side, size[1], mask.shape[0])
    rows = integral[bottom] - integral[top]
    share: NDArray[np.float64] = (rows[:, right] - rows[:, left]) / np.outer(bottom - top, right - left)
    return share


def spread(n: int, n_wanted: int) -> NDArray[np.int64]:
    """Which of n things, evenly spread over them, to take; all where they are no more than wanted."""
    if n <= n_wanted:
        return np.arange(n)
    return np.floor((np.arange(n_wanted) + 0.5) * n / n_wanted).astype(np.int64)


def box_of(x: int, y: int, side: float, size: tuple[int, int]) -> Box:
    """The part of a tile that lies on the slide, in pixels of level 0."""
    return x, y, min(round(side), size[0] - x), min(round(side), size[1] - y)


def _in_mask(
    starts: NDArray[np.int64], side: float, length: int, n_px: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last pixel (exclusive) of each tile in the mask, at least one."""
    first = np.minimum((starts * n_px / length).astype(np.int64), n_px - 1)
    last = np.rint(np.minimum(starts + side, length) * n_px / length).astype(np.int64)
    return first, np.maximum(last, first + 1)
