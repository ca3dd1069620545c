"""Cut a mammogram down to the breast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cbir.errors import SpecError
from cbir.images.steps.step import Raster

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SEARCH_SIDE_PX = 256
_BLUR_PX = 5
_THRESHOLD_OF_OTSU = 0.5
_MIN_AREA = 0.02


@dataclass(frozen=True, slots=True)
class CropBreast:
    """Crop to the largest bright object and a margin; labels and view markers outside it go.

    The object is searched on a copy at most 256 px wide or high: blurred, cut at half of Otsu's threshold
    (Otsu's own splits dense from fatty tissue and loses the skin line), largest connected component. An
    image without one (uniform, or the object under 2 % of it) is left whole, and so is one that it fills.
    Colour images are judged by their luminance.

    Args:
        margin_px: kept around the object, in pixels of the image as read; >= 0.

    Raises:
        SpecError: the margin is negative.
    """

    name: ClassVar[str] = "crop_breast"

    margin_px: int = 16

    def __post_init__(self) -> None:
        if self.margin_px < 0:
            raise SpecError(f"Step crop_breast: margin_px is {self.margin_px}; it must be 0 or more.")

    def apply(self, raster: Raster) -> Raster:
        """Crop; the result is a view of the same pixels, never empty."""
        top, bottom, left, right = self.box(raster)
        return Raster(raster.pixels[top:bottom, left:right], raster.white)

    def box(self, raster: Raster) -> tuple[int, int, int, int]:
        """(top, bottom, left, right) in pixels: what would be kept, the margin with it."""
        height, width = raster.pixels.shape[:2]
        box = _object_box(reduced_luminance(raster))
        if box is None:
            return 0, height, 0, width
        top, bottom, left, right = box
        return (
            max(int(top * height) - self.margin_px, 0),
            min(int(np.ceil(bottom * height)) + self.margin_px, height),
            max(int(left * width) - self.margin_px, 0),
            min(int(np.ceil(right * width)) + self.margin_px, width),
        )


def reduced_luminance(raster: Raster) -> NDArray[np.float32]:
    """The luminance, at most 256 px wide or high."""
    import cv2

    height, width = raster.pixels.shape[:2]
    scale = min(1.0, _SEARCH_SIDE_PX / max(height, width))
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    small = cv2.resize(raster.pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    if raster.is_grey:
        return small
    return small @ np.array([0.299, 0.587, 0.114], dtype=np.float32)


def object_mask(grey: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(H, W), 1 where a blurred image is brighter than half of Otsu's threshold; 0 where it is uniform."""
    import cv2

    low, high = float(grey.min()), float(grey.max())
    if not np.isfinite(high - low) or high <= low:
        return np.zeros(grey.shape, dtype=np.uint8)
    stretched = ((grey - low) * (255.0 / (high - low))).astype(np.uint8)
    blurred = cv2.GaussianBlur(stretched, (_BLUR_PX, _BLUR_PX), 0, borderType=cv2.BORDER_REPLICATE)
    otsu, _ = cv2.threshold(blurred, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return (blurred > otsu * _THRESHOLD_OF_OTSU).astype(np.uint8)


def _object_box(grey: NDArray[np.float32]) -> tuple[float, float, float, float] | None:
    """Find the object's top, bottom, left and right as fractions; None when there is none."""
    import cv2

    mask = object_mask(grey)
    n_components, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if n_components == 1:  # the background
        return None
    x, y, w, h, area = stats[1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))].tolist()
    rows, columns = grey.shape
    if area < _MIN_AREA * rows * columns:
        return None
    return y / rows, (y + h) / rows, x / columns, (x + w) / columns
