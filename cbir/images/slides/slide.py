"""OpenSlide behind an open file descriptor: what a slide is, and regions of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self, cast

import numpy as np

from cbir.errors import ImageError, SkipReason
from cbir.images.slides.spec import MPP_AT_1X

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from numpy.typing import NDArray
    from openslide import OpenSlide

_OPAQUE = 255
_BLOCK_PX = 2048
_SAME_LEVEL = 1.01
_MOST_ANISOTROPY = 1.1
_SHAPE_TOLERANCE, _ROUNDING_PX = 0.25, 2


class RegionError(Exception):
    """OpenSlide can't read a region."""


class Slide:
    """An open slide. Use as a context manager.

    Args:
        descriptor: of the file, open for reading and kept open by the caller: no path is opened.

    Raises:
        ImageError: OpenSlide is missing, does not know the file, or can't open it.
    """

    def __init__(self, descriptor: int) -> None:
        self._path = f"/dev/fd/{descriptor}"
        self._open = self._opened()
        self.size: tuple[int, int] = self._open.dimensions
        self.downsamples: tuple[float, ...] = self._open.level_downsamples
        if not _fit_together(self._open.level_dimensions):
            detail = f"a slide of {self.size[0]} x {self.size[1]} pixels whose levels have other shapes"
            raise ImageError(SkipReason.MALFORMED, detail)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._open.close()

    @property
    def vendor(self) -> str:
        """OpenSlide's word for the format, such as ``aperio``."""
        return str(self._open.properties["openslide.vendor"])

    @property
    def objective_power(self) -> float | None:
        """Of the scanner's objective, as it says."""
        return self._number("openslide.objective-power")

    def mpp(self) -> float:
        """Microns a pixel of level 0: as the file says them, else 10 over the objective's power.

        Raises:
            ImageError: it says neither, or its pixels are not square.
        """
        across, down = self._number("openslide.mpp-x"), self._number("openslide.mpp-y")
        if across and down:
            if max(across, down) > _MOST_ANISOTROPY * min(across, down):
                detail = f"pixels of {across:g} by {down:g} microns; slides are read with square ones"
                raise ImageError(SkipReason.UNSUPPORTED, detail)
            return (across + down) / 2
        if power := self.objective_power:
            return MPP_AT_1X / power
        detail = "the slide says neither its microns a pixel nor its objective power: its scale is unknown"
        raise ImageError(SkipReason.UNSUPPORTED, detail)

    def level_for(self, downsample: float) -> int:
        """The coarsest level that is not coarser than this."""
        fine = [n for n, each in enumerate(self.downsamples) if each <= downsample * _SAME_LEVEL]
        return max(fine, key=lambda n: self.downsamples[n], default=0)

    def region(self, level: int, x: int, y: int, width: int, height: int) -> NDArray[np.uint8]:
        """Read a region; what lies outside, or is transparent, is white.

        Args:
            level: of the pyramid.
            x: left edge, in pixels of level 0.
            y: top edge, likewise.
            width: in pixels of the level.
            height: likewise.

        Returns:
            (height, width, 3) RGB.

        Raises:
            RegionError: it can't be read; others still can.
        """
        from openslide import OpenSlideError

        try:
            rgba = np.asarray(self._open.read_region((x, y), level, (width, height)))
        except OpenSlideError:
            self._open.close()  # OpenSlide refuses everything after an error
            self._open = self._opened()
            raise RegionError from None
        return _on_white(rgba)

    def overview(self, side_px: int) -> NDArray[np.uint8]:
        """The whole slide made small, a block at a time.

        Args:
            side_px: of the square that it fits.

        Returns:
            (height, width, 3) RGB; never enlarged.

        Raises:
            ImageError: a part of it can't be read.
        """
        shrink = max(max(self.size) / side_px, 1.0)
        width, height = (max(round(length / shrink), 1) for length in self.size)
        level = self.level_for(shrink)
        whole = np.empty((height, width, 3), dtype=np.uint8)
        step = max(int(_BLOCK_PX * self.downsamples[level] / shrink), 1)
        try:
            for top in range(0, height, step):
                for left in range(0, width, step):
                    bottom, right = min(top + step, height), min(left + step, width)
                    whole[top:bottom, left:right] = self._block(
                        level, (left, top, right, bottom), (width, height)
                    )
        except RegionError:
            raise ImageError(SkipReason.MALFORMED, f"level {level} of the slide can't be read") from None
        return whole

    def _block(self, level: int, part: tuple[int, int, int, int], of: tuple[int, int]) -> NDArray[np.uint8]:
        import cv2

        left, top, right, bottom = part
        x, y = left * self.size[0] // of[0], top * self.size[1] // of[1]
        to_level = self.downsamples[level]
        width = max(round((right * self.size[0] / of[0] - x) / to_level), 1)
        height = max(round((bottom * self.size[1] / of[1] - y) / to_level), 1)
        pixels = self.region(level, x, y, width, height)
        small = cv2.resize(pixels, (right - left, bottom - top), interpolation=cv2.INTER_AREA)
        return cast("NDArray[np.uint8]", small)

    def _opened(self) -> OpenSlide:
        try:
            import openslide
        except (ImportError, OSError):
            detail = "whole slides need OpenSlide; pip install 'cbir[wsi]'"
            raise ImageError(SkipReason.MISSING_CODEC, detail) from None
        try:
            if openslide.OpenSlide.detect_format(self._path) is None:
                detail = "a tiled TIFF that OpenSlide does not know as a slide"
                raise ImageError(SkipReason.UNSUPPORTED, detail)
            return openslide.OpenSlide(self._path)
        except openslide.OpenSlideError:
            raise ImageError(SkipReason.MALFORMED, "OpenSlide can't open the slide") from None

    def _number(self, name: str) -> float | None:
        try:
            value = float(self._open.properties.get(name, ""))
        except ValueError:
            return None
        return value if math.isfinite(value) and value > 0 else None


def _fit_together(levels: Sequence[tuple[int, int]]) -> bool:
    """Whether all levels are one picture, as far as their shapes tell."""
    width, height = levels[0]
    if min(width, height) < 1:
        return False
    for across, down in levels[1:]:
        expected = height * across / width
        if abs(down - expected) > _ROUNDING_PX + _SHAPE_TOLERANCE * expected:
            return False
    return True


def _on_white(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay (height, width, 4) on white."""
    rgb, alpha = rgba[..., :3], rgba[..., 3:]
    if alpha.min() == _OPAQUE:
        return np.ascontiguousarray(rgb)
    share = alpha.astype(np.float32) / _OPAQUE
    return np.rint(rgb * share + _OPAQUE * (1 - share)).astype(np.uint8)
