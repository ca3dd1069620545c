"""A small JPEG of an image, for pages and terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from cbir.images.image import Image, Pixels

_JPEG_QUALITY = 85
_PIXELS_PER_PIXEL = 2
_GREY_NDIM = 2


def thumbnail(image: Image, side_px: int = 192) -> bytes:
    """Shrink to fit a square and compress; never enlarges, carries no metadata.

    Args:
        image: as read.
        side_px: of the square, > 0.

    Returns:
        A baseline JPEG of 8 bits, grey or colour.
    """
    import cv2

    height, width = image.pixels.shape[:2]
    scale = min(1.0, side_px / max(height, width))
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    # Two pixels a side for each of the thumbnail's are enough; averaging them all takes up to 40 ms.
    step = max(round(1 / scale) // _PIXELS_PER_PIXEL, 1)
    sparse: Pixels = image.pixels[::step, ::step]
    small = cv2.resize(np.ascontiguousarray(sparse), size, interpolation=cv2.INTER_AREA)
    eight_bit = np.clip(np.rint(small * (255.0 / image.white)), 0, 255).astype(np.uint8)
    if eight_bit.ndim > _GREY_NDIM:
        eight_bit = np.ascontiguousarray(eight_bit[..., ::-1])
    _, jpeg = cv2.imencode(".jpg", eight_bit, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return jpeg.tobytes()
