"""The shape of the scene: how much of each frequency and direction, in each part of the image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cbir.errors import SpecError
from cbir.extractors.handcrafted.descriptor import check_grey, check_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAX_BLOCKS = 64
_MAX_ORIENTATIONS = 64
_PADDING_PX = 5
_LOW_PASS_SQUARED = 16 / np.log(2)
_LEAST_DEVIATION = np.float32(0.2)


@dataclass(frozen=True, slots=True)
class Gist:
    """GIST with the settings of LEAR's program: mean magnitudes of Gabor responses in a grid of blocks.

    The order is filter, block column, block row. A scale is a share of the height in cycles an image, both
    ways: in an image that is not square, it is another share of the width.

    Args:
        side_px: images are resized to this square.
        blocks: so many rows, and columns, of blocks; an image must have as many pixels each way.
        orientations: so many filters for each scale, the finest first.

    Raises:
        SpecError: a value out of its range.

    Source: Oliva and Torralba, IJCV 2001; Douze et al., CIVR 2009 (the program).
    """

    name: ClassVar[str] = "gist"

    side_px: int = 256
    blocks: int = 4
    orientations: tuple[int, ...] = (8, 8, 4)

    def __post_init__(self) -> None:
        check_whole(self.name, "blocks", self.blocks, least=1, most=_MAX_BLOCKS)
        check_whole(self.name, "side_px", self.side_px, least=self.blocks)
        if not self.orientations:
            raise SpecError(
                "Descriptor gist: orientations is empty; name a number of filters for each scale."
            )
        for number in self.orientations:
            check_whole(self.name, "orientations", number, least=1, most=_MAX_ORIENTATIONS)

    @property
    def dim(self) -> int:
        """Filters × blocks."""
        return sum(self.orientations) * self.blocks**2

    @property
    def input_px(self) -> tuple[int, int]:
        """A square."""
        return self.side_px, self.side_px

    def describe(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Describe an image of any size from ``blocks`` × ``blocks``: (H, W) to (dim,), each value >= 0."""
        import cv2

        check_grey(self.name, grey, least_px=self.blocks)
        height, width = grey.shape
        spectrum = cv2.dft(_whiten(grey), flags=cv2.DFT_COMPLEX_OUTPUT).view(np.complex64)[..., 0]
        filters = _gabor_filters(height, width, self.orientations)
        means = np.empty((len(filters), self.blocks, self.blocks), dtype=np.float32)
        response = np.empty((height, width, 2), dtype=np.float32)
        product = response.view(np.complex64)[..., 0]
        for gabor, mean in zip(filters, means, strict=True):
            np.multiply(spectrum, gabor, out=product)
            cv2.dft(response, response, flags=cv2.DFT_INVERSE | cv2.DFT_SCALE)
            mean[:] = _block_sums(np.abs(product), self.blocks).T
        rows, columns = (np.diff(_edges(side, self.blocks)) for side in grey.shape)
        means /= np.outer(columns, rows)
        return means.ravel()


def _whiten(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Take the slow changes of brightness away, then even out the contrast."""
    padded = np.pad(grey, _PADDING_PX, mode="symmetric")
    logs = np.log(np.arange(256.0) + 1).astype(np.float32)[padded]
    flat = logs - _low_pass(logs)
    flat /= np.sqrt(np.abs(_low_pass(flat * flat))) + _LEAST_DEVIATION
    return np.ascontiguousarray(flat[_PADDING_PX:-_PADDING_PX, _PADDING_PX:-_PADDING_PX])


def _low_pass(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Blur with a Gaussian, round the edges. No matrix product here, which would wake BLAS threads."""
    import cv2

    spectrum = np.asarray(cv2.dft(image), dtype=np.float32)
    blurred = cv2.idft(spectrum * _low_pass_gains(*image.shape), flags=cv2.DFT_SCALE)
    return np.asarray(blurred, dtype=np.float32)


@lru_cache(maxsize=8)
def _low_pass_gains(height: int, width: int) -> NDArray[np.float32]:
    """(height, width): gains, in OpenCV's packed order of a real image's spectrum.

    Real and imaginary parts take turns: along each row, but down the first column, and down the last of an
    even width.
    """
    across = (np.arange(width) + 1) // 2
    down = np.tile((np.fft.fftfreq(height) * height)[:, None], (1, width))
    down[:, 0] = (np.arange(height) + 1) // 2
    if width % 2 == 0:
        down[:, -1] = down[:, 0]
    gains: NDArray[np.float32] = np.exp(-(across**2 + down**2) / _LOW_PASS_SQUARED).astype(np.float32)
    gains.setflags(write=False)
    return gains


@lru_cache(maxsize=4)
def _gabor_filters(height: int, width: int, orientations: tuple[int, ...]) -> NDArray[np.float32]:
    """(filters, height, width): gains, with the frequencies in the order of an FFT."""
    across, down = np.fft.fftfreq(width) * width, np.fft.fftfreq(height)[:, None] * height
    radii, angles = np.hypot(across, down) / height, np.arctan2(down, across)
    filters = np.empty((sum(orientations), height, width), dtype=np.float32)
    number = 0
    for scale, n_angles in enumerate(orientations):
        ring = -3.5 * (radii / (0.3 / 1.85**scale) - 1) ** 2
        for turn in range(n_angles):
            off = angles + np.pi * turn / n_angles
            off = np.where(off > np.pi, off - 2 * np.pi, off)
            filters[number] = np.exp(ring - 2 * np.pi * (16 * n_angles**2 / 32**2) * off**2)
            number += 1
    filters.setflags(write=False)
    return filters


def _block_sums(image: NDArray[np.float32], blocks: int) -> NDArray[np.float32]:
    """(blocks, blocks)."""
    rows, columns = (_edges(side, blocks) for side in image.shape)
    bands = np.stack([image[top:bottom].sum(axis=0) for top, bottom in pairwise(rows)])
    sums: NDArray[np.float32] = np.add.reduceat(bands, columns[:-1], axis=1)
    return sums


def _edges(side: int, blocks: int) -> NDArray[np.intp]:
    """(blocks + 1,): where blocks begin, rounded down."""
    return np.arange(blocks + 1) * side // blocks
