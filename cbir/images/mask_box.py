"""What a mask marks: a step for the decode pool alone, so that a mask's pixels never leave the worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from cbir.images.steps import Normalise, Raster

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.images.image import Pixels
    from cbir.images.steps import Step

_GREY_MARGIN = 1 / 8
_MOST_GREY = 0.01


@dataclass(frozen=True, slots=True)
class MaskBox:
    """Replace an image by five numbers; no spec can name it, for no network takes them.

    A pixel is marked when it is brighter than half of the brightest one, so that masks of 0 and 1 and those
    that went through JPEG are read like those of 0 and 255.
    """

    name: ClassVar[str] = "mask_box"

    def apply(self, raster: Raster) -> Raster:
        """Give (1, 5): left, top, width, height, zeros when nothing is marked; and the share of grey."""
        grey = raster.pixels if raster.is_grey else raster.pixels.max(axis=2)
        brightest = float(grey.max())
        marked = grey > brightest / 2
        between = (grey > brightest * _GREY_MARGIN) & (grey < brightest * (1 - _GREY_MARGIN))
        numbers = [*_box(marked), float(between.mean())]
        return Raster(cast("Pixels", np.array([numbers], dtype=np.float32)), 1.0)


@dataclass(frozen=True, slots=True)
class Marked:
    """What a mask marks.

    Args:
        box: left, top, width and height in pixels; None when nothing is marked.
        is_mask: whether it has two values, as masks have and pictures have not: no more than a hundredth of
            its pixels lie in between.
    """

    box: tuple[int, int, int, int] | None
    is_mask: bool


MASK_STEPS: tuple[Step, ...] = (MaskBox(), Normalise((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))
"""The branch that a pool is given; ``read_marked`` reads what comes of it."""


def read_marked(prepared: NDArray[np.float32]) -> Marked:
    """Read what ``MASK_STEPS`` made of an image.

    Args:
        prepared: (…, 3, 1, 5), as a decoded frame holds it.
    """
    left, top, width, height, grey = (float(each) for each in prepared.reshape(-1, 5)[0])
    box = (int(left), int(top), int(width), int(height)) if width > 0 else None
    return Marked(box, grey <= _MOST_GREY)


def _box(marked: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(marked.any(axis=1)), np.flatnonzero(marked.any(axis=0))
    if not rows.size:
        return 0, 0, 0, 0
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1
