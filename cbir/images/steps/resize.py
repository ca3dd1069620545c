"""Bring an image to a network's size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, cast, get_args

import numpy as np

from cbir.errors import SpecError
from cbir.images.steps.step import Raster

if TYPE_CHECKING:
    from cbir.images.image import Pixels

Fit = Literal["stretch", "pad", "cover"]
Interpolation = Literal["area", "linear", "cubic"]

_MAX_SIDE_PX = 16384


@dataclass(frozen=True, slots=True)
class Resize:
    """Resize with OpenCV, in the raster's own depth.

    Args:
        height_px: of the result, 1 to 16,384.
        width_px: of the result, 1 to 16,384.
        fit: ``stretch`` changes the aspect ratio; ``pad`` keeps it and centres the image on black;
            ``cover`` keeps it and cuts off what is left over on both sides.
        interpolation: ``area`` averages when shrinking and is linear when enlarging; ``linear`` and
            ``cubic`` look at 4 and 16 pixels whatever the factor, so that they alias when shrinking.

    Raises:
        SpecError: a value out of its range.
    """

    name: ClassVar[str] = "resize"

    height_px: int
    width_px: int
    fit: Fit = "stretch"
    interpolation: Interpolation = "area"

    def __post_init__(self) -> None:
        for side, value in (("height_px", self.height_px), ("width_px", self.width_px)):
            if not 1 <= value <= _MAX_SIDE_PX:
                raise SpecError(f"Step resize: {side} is {value}; it must be from 1 to {_MAX_SIDE_PX}.")
        _check_choice("fit", self.fit, get_args(Fit))
        _check_choice("interpolation", self.interpolation, get_args(Interpolation))

    def apply(self, raster: Raster) -> Raster:
        """Resize; values stay within black and white."""
        pixels = raster.pixels
        if self.fit == "cover":
            left, top, width, height = self._kept(*pixels.shape[:2])
            pixels = pixels[top : top + height, left : left + width]
        inner = self._inner_size(*pixels.shape[:2]) if self.fit == "pad" else (self.height_px, self.width_px)
        resized = _resized(pixels, *inner, self.interpolation)
        if resized.dtype == np.float32:
            resized = np.clip(resized, 0.0, raster.white, dtype=np.float32)
        return Raster(self._on_black(resized), raster.white)

    def source_box(self, height: int, width: int) -> tuple[float, float, float, float]:
        """Where the result lies in an image of this size: x, y, width, height; padding reaches beyond."""
        if self.fit == "cover":
            return self._kept(height, width)
        if self.fit == "stretch":
            return 0.0, 0.0, width, height
        inner_height, inner_width = self._inner_size(height, width)
        across, down = width / inner_width, height / inner_height
        left, top = self._margins(inner_height, inner_width)
        return -left * across, -top * down, self.width_px * across, self.height_px * down

    def _kept(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Cut before enlarging: a strip of 1 by 10,000 px never becomes 224 by 2,240,000."""
        kept_height = min(height, max(round(width * self.height_px / self.width_px), 1))
        kept_width = min(width, max(round(height * self.width_px / self.height_px), 1))
        return (width - kept_width) // 2, (height - kept_height) // 2, kept_width, kept_height

    def _inner_size(self, height: int, width: int) -> tuple[int, int]:
        scale = min(self.height_px / height, self.width_px / width)
        inner_height = min(max(round(height * scale), 1), self.height_px)
        inner_width = min(max(round(width * scale), 1), self.width_px)
        return inner_height, inner_width

    def _margins(self, inner_height: int, inner_width: int) -> tuple[int, int]:
        return (self.width_px - inner_width) // 2, (self.height_px - inner_height) // 2

    def _on_black(self, pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        if (height, width) == (self.height_px, self.width_px):
            return pixels
        canvas = np.zeros((self.height_px, self.width_px, *pixels.shape[2:]), dtype=pixels.dtype)
        left, top = self._margins(height, width)
        canvas[top : top + height, left : left + width] = pixels
        return canvas


def _check_choice(setting: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SpecError(f"Step resize: {setting} is {value!r}; it must be one of {', '.join(known)}.")


def _resized(pixels: Pixels, height: int, width: int, interpolation: Interpolation) -> Pixels:
    import cv2

    enlarges = height > pixels.shape[0] or width > pixels.shape[1]
    if interpolation == "area":
        flag = cv2.INTER_LINEAR if enlarges else cv2.INTER_AREA
    else:
        flag = cv2.INTER_LINEAR if interpolation == "linear" else cv2.INTER_CUBIC
    return cast("Pixels", cv2.resize(np.ascontiguousarray(pixels), (width, height), interpolation=flag))
