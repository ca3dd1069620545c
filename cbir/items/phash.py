"""A perceptual hash: images that look the same have nearly the same bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

N_BITS = 576
NEAR_BITS = 96
"""Images that differ in no more bits than this are taken for the same picture.

Measured on the thumbnails of mini-MIAS (and BreakHis): pictures of two patients differ in 130 (246) bits or
more; the same picture, as JPEG of quality 50, at half the size, with noise, gamma 0.7 or a hundredth cropped
off each side, in at most 14, 12, 20, 70 and 88. The usual 64 bits of 8 × 8 frequencies don't do: mammograms
share their silhouettes, and those of two patients may differ in 2 bits.
"""

_SIDE_PX = 128
_KEPT = 24
_GREY_NDIM = 2
_FLAT = 1.0
"""Standard deviation, of 255, below which there is nothing to hash."""


def perceptual_hash(pixels: NDArray[np.uint8]) -> bytes | None:
    """Hash the structure of an image: survives scaling, recompression and changes of contrast.

    Rotations and mirror images hash differently.

    Args:
        pixels: (H, W), or (H, W, 3) in any channel order.

    Returns:
        ``N_BITS`` bits, or None for an image without structure, whose bits would be noise.

    Source: the DCT hash of pHash.org (Zauner, 2010), with 24 × 24 of 128 × 128 frequencies in place of 8 × 8
    of 32 × 32: each bit says whether one is above their median.
    """
    import cv2

    grey = pixels if pixels.ndim == _GREY_NDIM else pixels.mean(axis=2)
    small = cv2.resize(grey.astype(np.float32), (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    if float(small.std()) < _FLAT:
        return None
    low = np.asarray(cv2.dct(small), dtype=np.float32)[:_KEPT, :_KEPT].ravel()
    return np.packbits(low > np.median(low[1:])).tobytes()
