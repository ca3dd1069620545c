"""A perceptual hash: images that look the same have nearly the same bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

N_BITS = 576
NEAR_BITS = 96
"""Images that differ in no more bits than this are taken for the same picture.

Measured on the thumbnails of mini-MIAS (and BreakHis): pictures of two patients differ in 124 (244) bits or
more as they are, and in 148 (240) or more if one may be turned or mirrored; the mirrored other breast of the
same woman in 118 or more. The same picture, as JPEG of quality 50, at half the size, with noise, gamma 0.7 or
a hundredth cropped off each side, differs in at most 14, 12, 20, 70 and 88. The usual 64 bits of 8 × 8
frequencies don't do: mammograms share their silhouettes, and those of two patients may differ in 2 bits.
"""
TURNS = (
    "as it is",
    "upside down",
    "mirrored",
    "turned by 180°",
    "mirrored and turned by 90° left",
    "turned by 90° left",
    "turned by 90° right",
    "mirrored and turned by 90° right",
)
"""What ``turned_hashes`` did to the picture, in its order: the eight symmetries of the square."""

_SIDE_PX = 128
_KEPT = 24
_GREY_NDIM = 2
_FLAT = 1.0
"""Standard deviation, of 255, below which there is nothing to hash."""


def perceptual_hash(pixels: NDArray[np.uint8]) -> bytes | None:
    """Hash the structure of an image: survives scaling, recompression and changes of contrast.

    Turned and mirrored images hash differently: see ``turned_hashes``.

    Args:
        pixels: (H, W), or (H, W, 3) in any channel order.

    Returns:
        ``N_BITS`` bits, or None for an image without structure, whose bits would be noise.

    Source: the DCT hash of pHash.org (Zauner, 2010), with 24 × 24 of 128 × 128 frequencies in place of 8 × 8
    of 32 × 32: each bit says whether one is above their median.
    """
    hashes = turned_hashes(pixels)
    return hashes[0] if hashes else None


def turned_hashes(pixels: NDArray[np.uint8]) -> tuple[bytes, ...]:
    """Hash an image under the eight symmetries of the square, from one transform.

    A mirrored image has the same frequencies, every other one with its sign changed; one mirrored at its
    diagonal has them transposed.

    Args:
        pixels: as for ``perceptual_hash``.

    Returns:
        As many hashes as ``TURNS``, the first as ``perceptual_hash`` gives it; none for an image without
        structure.
    """
    import cv2

    grey = pixels if pixels.ndim == _GREY_NDIM else pixels.mean(axis=2)
    small = cv2.resize(grey.astype(np.float32), (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    if float(small.std()) < _FLAT:
        return ()
    low = np.asarray(cv2.dct(small), dtype=np.float32)[:_KEPT, :_KEPT]
    signs = np.where(np.arange(_KEPT) % 2, np.float32(-1), np.float32(1))
    rows, columns, same = signs[:, None], signs[None, :], np.ones((1, 1), np.float32)
    return tuple(
        _bits(each * flips) for each in (low, low.T) for flips in (same, rows, columns, rows * columns)
    )


def bits_apart(one: bytes, other: bytes) -> int:
    """In how many bits two hashes differ."""
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def _bits(low: NDArray[np.float32]) -> bytes:
    values = low.ravel()
    return np.packbits(values > np.median(values[1:])).tobytes()
