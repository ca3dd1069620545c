"""Bring the stains of a histology slide, haematoxylin and eosin, to reference colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np

from cbir.errors import ImageError, SkipReason, SpecError
from cbir.images.steps.step import Raster

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.images.image import Pixels

_WHITE_8_BIT = 255.0
_REFERENCE = np.array([[0.5626, 0.2159], [0.7201, 0.8012], [0.4062, 0.5581]])
"""Optical density of red, green, blue: haematoxylin's, eosin's."""
_REFERENCE_MOST = np.array([1.9705, 1.0308])
"""The 99th percentile of each stain's concentration."""
_MOST_PERCENTILE = 99
_NOTHING = 1e-6
_MOST_ANGLE = 50.0


@dataclass(frozen=True, slots=True)
class Macenko:
    """Macenko's stain normalisation, in 8-bit colour; deterministic.

    An image in which two stains can't be told apart (empty glass, one flat colour) stays as it is. A grey
    one, also a picture with three equal channels, is refused: this step is for colour histology alone.

    Args:
        light: of glass without tissue, from 0 to 255, > 0.
        angle: the percentile of hues, from below and above, that are taken for the pure stains; from 0 to 50.
        density: pixels with a lower optical density in any channel are glass; >= 0.

    Raises:
        SpecError: a value out of its range.

    Source: Macenko et al., ISBI 2009; reference colours and defaults as torchstain has them.
    """

    name: ClassVar[str] = "macenko"

    light: float = 240.0
    angle: float = 1.0
    density: float = 0.15

    def __post_init__(self) -> None:
        for setting, value, most in (
            ("light", self.light, _WHITE_8_BIT),
            ("angle", self.angle, _MOST_ANGLE),
            ("density", self.density, float("inf")),
        ):
            if not 0 <= value <= most or value == float("inf") or (setting == "light" and not value):
                raise SpecError(f"Step macenko: {setting} is {value}; it must be from 0 to {most:g}.")

    def apply(self, raster: Raster) -> Raster:
        """Normalise: (H, W, 3) of any depth to 8 bits.

        Raises:
            ImageError: the image is grey.
        """
        pixels = raster.pixels
        if raster.is_grey or _is_grey_picture(pixels):
            raise ImageError(
                SkipReason.UNSUPPORTED, "a grey image; stain normalisation (macenko) takes colour histology"
            )
        eight_bit = _to_8_bit(raster)
        densities = -np.log((np.arange(256, dtype=np.float64) + 1) / self.light)[eight_bit.reshape(-1, 3)]
        stains = self._stains(densities)
        if stains is None:
            return Raster(cast("Pixels", eight_bit), _WHITE_8_BIT)
        amounts = np.linalg.lstsq(stains, densities.T, rcond=None)[0]
        most = np.percentile(amounts, _MOST_PERCENTILE, axis=1)
        if not (most > _NOTHING).all():
            return Raster(cast("Pixels", eight_bit), _WHITE_8_BIT)
        scaled = amounts / (most / _REFERENCE_MOST)[:, np.newaxis]
        with np.errstate(over="ignore"):
            stained = self.light * np.exp(-_REFERENCE.dot(scaled))
        rebuilt = np.minimum(stained, _WHITE_8_BIT).T.reshape(eight_bit.shape).astype(np.uint8)
        return Raster(cast("Pixels", rebuilt), _WHITE_8_BIT)

    def _stains(self, densities: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """(3, 2): the directions of the two stains; None where there are no two."""
        tissue = densities[(densities >= self.density).all(axis=1)]
        if len(tissue) < 2:  # noqa: PLR2004 - a covariance takes two
            return None
        spreads, axes = np.linalg.eigh(np.cov(tissue.T))
        if not spreads[1] > _NOTHING * max(spreads[2], _NOTHING):
            return None
        plane = axes[:, 1:]
        across = tissue.dot(plane)
        hues = np.arctan2(across[:, 1], across[:, 0])
        ends = np.percentile(hues, [self.angle, 100 - self.angle])
        one, other = (plane.dot([np.cos(end), np.sin(end)]) for end in ends)
        if np.linalg.matrix_rank(np.stack([one, other]), tol=_NOTHING) < 2:  # noqa: PLR2004 - two stains
            return None
        first, second = (one, other) if one[0] > other[0] else (other, one)  # haematoxylin takes more red
        return np.stack([first, second], axis=1)


def _is_grey_picture(pixels: Pixels) -> bool:
    return bool((pixels == pixels[..., :1]).all() and pixels.min() < pixels.max())


def _to_8_bit(raster: Raster) -> NDArray[np.uint8]:
    if raster.pixels.dtype == np.uint8:
        return cast("NDArray[np.uint8]", raster.pixels)
    scaled = raster.pixels.astype(np.float64) * (_WHITE_8_BIT / raster.white)
    return np.clip(np.rint(scaled), 0, _WHITE_8_BIT).astype(np.uint8)
