"""Overlapping tiles of an image: small findings vanish where the whole image is made small."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from cbir.errors import SpecError
from cbir.images.steps.crop_breast import CropBreast, object_mask, reduced_luminance
from cbir.images.steps.step import Raster

Box = tuple[int, int, int, int]
"""x, y, width, height, in pixels of the image as read."""

_MAX_ACROSS = 8
_MAX_OVERLAP = 0.75


@dataclass(frozen=True, slots=True)
class TileGrid:
    """Where the tiles of an image lie: squares, evenly spread, the outer ones at the image's edges.

    Args:
        across: a tile's side is the longer side of the image divided by this; 1 to 8.
        overlap: of neighbours, as a share of the side, at least; 0 to 0.75.
        whole: the image as a whole is the first tile.
        crop_breast: the grid lies over the breast alone, as the step of this name finds it.
        min_content: tiles with a smaller share of pixels brighter than the background are left out; 0 to 1.
            Where all would be, the whole grid stays.

    Raises:
        SpecError: a value out of its range.
    """

    across: int
    overlap: float = 0.5
    whole: bool = False
    crop_breast: bool = False
    min_content: float = 0.0

    def __post_init__(self) -> None:
        if type(self.across) is not int or not 1 <= self.across <= _MAX_ACROSS:
            raise SpecError(f"Tiles: across is {self.across!r}; use a whole number from 1 to {_MAX_ACROSS}.")
        for name, most in (("overlap", _MAX_OVERLAP), ("min_content", 1.0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
                raise SpecError(f"Tiles: {name} is {value!r}; use a number from 0 to {most:g}.")
        for name in ("whole", "crop_breast"):
            if type(getattr(self, name)) is not bool:
                raise SpecError(f"Tiles: {name} is {getattr(self, name)!r}; use true or false.")

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Rebuild from ``dataclasses.asdict``; what is left out takes its default.

        Raises:
            SpecError: an unknown setting, no ``across``, or a value out of its range.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        if unknown := sorted(set(values) - set(known)):
            raise SpecError(f"Tiles: unknown key {unknown[0]!r}; it knows {', '.join(known)}, keep.")
        if "across" not in values:
            raise SpecError("Tiles: across is missing; say how many tiles lie along the longer side.")
        return cls(**values)  # type: ignore[arg-type]  # __post_init__ checks

    def boxes(self, raster: Raster) -> list[Box]:
        """The tiles of an image, row by row; at least one."""
        height, width = raster.pixels.shape[:2]
        top, bottom, left, right = (0, height, 0, width)
        if self.crop_breast:
            top, bottom, left, right = CropBreast().box(raster)
        side = math.ceil(max(bottom - top, right - left) / self.across)
        rows, columns = self._starts(bottom - top, side), self._starts(right - left, side)
        tiles = [
            (left + x, top + y, min(side, right - left), min(side, bottom - top))
            for y in rows
            for x in columns
        ]
        whole = [(left, top, right - left, bottom - top)] if self.whole and len(tiles) > 1 else []
        return whole + self._with_content(tiles, raster)

    def _starts(self, length: int, side: int) -> list[int]:
        if length <= side:
            return [0]
        n = math.ceil((length - side) / (side * (1 - self.overlap))) + 1
        return [round(start) for start in np.linspace(0, length - side, n).tolist()]

    def _with_content(self, tiles: list[Box], raster: Raster) -> list[Box]:
        if not self.min_content:
            return tiles
        mask = object_mask(reduced_luminance(raster))
        scale_y, scale_x = (of / whole for of, whole in zip(mask.shape, raster.pixels.shape[:2], strict=True))
        kept = [
            (x, y, w, h)
            for x, y, w, h in tiles
            if mask[
                int(y * scale_y) : math.ceil((y + h) * scale_y),
                int(x * scale_x) : math.ceil((x + w) * scale_x),
            ].mean()
            >= self.min_content
        ]
        return kept or tiles
