"""A slide to its tissue tiles, one region at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import ImageError, SkipReason
from cbir.images.image import Image, ImageInfo
from cbir.images.slides.grid import box_of, n_starts, spread, tile_starts, tissue_share
from cbir.images.slides.slide import RegionError, Slide
from cbir.images.slides.tissue import tissue_mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cbir.images.settings import DecodeLimits
    from cbir.images.slides.spec import SlideSpec
    from cbir.images.tiles import Box

_WHITE = 255.0
_MOST_COARSER = 1.25
_MAX_PLACES = 1 << 22
_MASK_PX_A_TILE = 8
_OVERVIEW_PX = (512, 4096)
_SPECK_SHARE = 4
_BYTES_A_PIXEL = 4
_FEW = 10
"""One in this many tiles may be unreadable; more, and the slide is."""


@dataclass(frozen=True, slots=True)
class SlideTile:
    """A tile, brought to its scale.

    Args:
        image: (tile_px, tile_px, 3) RGB of 8 bits.
        box: where it lies, in pixels of level 0.
    """

    image: Image
    box: Box


class SlideReader:
    """What of a slide is looked at. The slide must stay open.

    Args:
        slide: open.
        spec: the scale and size of the tiles.
        limits: what a region may cost.

    Attributes:
        info: what the slide says of itself, from an allow-list.
        overview: the slide made small.
        notes: what was done to it; complete after the last tile.

    Raises:
        ImageError: its scale is unknown or too coarse, it has no tissue, or it can't be read.
    """

    def __init__(self, slide: Slide, spec: SlideSpec, limits: DecodeLimits) -> None:
        self._slide, self._spec, self._limits = slide, spec, limits
        mpp = slide.mpp()
        if mpp > _MOST_COARSER * spec.mpp:
            detail = f"the slide has {mpp:g} microns a pixel, the extractor's slides want {spec.mpp:g}"
            raise ImageError(SkipReason.UNSUPPORTED, detail)
        self._downsample = spec.mpp / mpp
        self._side = spec.tile_px * self._downsample
        self.info = ImageInfo(
            format="slide",
            width=slide.size[0],
            height=slide.size[1],
            bits=8,
            mpp=mpp,
            objective_power=slide.objective_power,
            vendor=slide.vendor,
        )
        self._level = slide.level_for(self._downsample)
        self._region_px = max(round(self._side / slide.downsamples[self._level]), 1)
        self._check_sizes()
        self.overview = Image(slide.overview(self._overview_px()), _WHITE, 0, self.info)
        self.notes: tuple[str, ...] = ()
        self._places = self._find_places()

    def tiles(self) -> Iterator[SlideTile]:
        """Read them, row by row.

        Raises:
            ImageError: more than a tenth of them can't be read.
        """
        said, n_bad, n_all = self.notes, 0, len(self._places)
        for x, y in self._places:
            try:
                pixels = self._slide.region(self._level, x, y, self._region_px, self._region_px)
            except RegionError:
                n_bad += 1
                if n_bad * _FEW > n_all:
                    detail = f"{n_bad} of the first tiles, of {n_all}, can't be read"
                    raise ImageError(SkipReason.MALFORMED, detail) from None
                self.notes = (*said, f"{n_bad} of {n_all} tissue tiles can't be read")
                continue
            image = Image(_resized(pixels, self._spec.tile_px), _WHITE, 0, self.info)
            yield SlideTile(image, box_of(x, y, self._side, self._slide.size))

    def _check_sizes(self) -> None:
        n_places = 1
        for length in self._slide.size:
            n_places *= n_starts(length, self._side, self._spec.overlap)
        if n_places > _MAX_PLACES:
            width, height = self._slide.size
            detail = (
                f"the slide declares {width} x {height} pixels: {n_places} tiles, the limit is {_MAX_PLACES}"
            )
            raise ImageError(SkipReason.TOO_LARGE, detail)
        n_bytes = self._region_px**2 * _BYTES_A_PIXEL
        if n_bytes > self._limits.max_pixel_bytes:
            detail = (
                f"a tile is {n_bytes >> 20} MiB of the slide's nearest level, "
                f"the limit is {self._limits.max_pixel_mb}; raise max_pixel_mb to read it"
            )
            raise ImageError(SkipReason.TOO_LARGE, detail)

    def _overview_px(self) -> int:
        """So that a tile has some pixels in the mask."""
        low, high = _OVERVIEW_PX
        return min(max(round(max(self._slide.size) / self._side * _MASK_PX_A_TILE), low), high)

    def _find_places(self) -> list[tuple[int, int]]:
        """Left and top edge of each tile that is read."""
        spec, (width, height) = self._spec, self._slide.size
        xs = tile_starts(width, self._side, spec.overlap)
        ys = tile_starts(height, self._side, spec.overlap)
        rows, columns = np.indices((len(ys), len(xs))).reshape(2, -1)
        if spec.min_tissue:
            pixels: NDArray[np.uint8] = self.overview.pixels.astype(np.uint8, copy=False)
            side_px = self._side * pixels.shape[1] / width
            mask = tissue_mask(pixels, speck_px=max(int(side_px**2 / _SPECK_SHARE), 1))
            share = tissue_share(mask, (width, height), xs, ys, self._side)
            rows, columns = np.nonzero(share >= spec.min_tissue)
        if not len(rows):
            detail = f"no tile of {self._spec.tile_px} px is tissue for {spec.min_tissue:g} of its area"
            raise ImageError(SkipReason.NO_TISSUE, detail)
        taken = spread(len(rows), spec.max_tiles)
        if len(taken) < len(rows):
            self.notes = (f"{len(taken)} of {len(rows)} tissue tiles (max_tiles)",)
        return [(int(xs[columns[n]]), int(ys[rows[n]])) for n in taken.tolist()]


def _resized(pixels: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    import cv2

    if len(pixels) == side_px:
        return pixels
    flag = cv2.INTER_AREA if len(pixels) > side_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (side_px, side_px), interpolation=flag), dtype=np.uint8)
