"""What a preprocessing step takes, gives, and is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from cbir.images.image import Pixels

_GREY_NDIM = 2


@dataclass(frozen=True, slots=True)
class Raster:
    """Pixels between two steps.

    Args:
        pixels: (H, W) or (H, W, 3) RGB, uint8, uint16 or float32; after ``normalise`` (3, H, W) float32.
        white: the value of full white (255, 65535 or 1.0); black is 0.
    """

    pixels: Pixels
    white: float

    @property
    def is_grey(self) -> bool:
        """Whether the pixels are (H, W)."""
        return self.pixels.ndim == _GREY_NDIM


class Step(Protocol):
    """A frozen dataclass whose fields decide numbers: they are part of the extractor's fingerprint."""

    name: ClassVar[str]
    """What a spec calls it, and its key in ``STEPS``."""

    def apply(self, raster: Raster) -> Raster:
        """Give the raster's next form; the argument is left as it is."""
        ...
