"""The shape of the scene: how much of each frequency and direction, in each part of the image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
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
_LEAST_GAIN = 1e-12
_LEAST_DEVIATION = 0.2


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
        whitened = _whiten(grey).astype(np.float32)
        spectrum = cv2.dft(whitened, flags=cv2.DFT_COMPLEX_OUTPUT).view(np.complex64)[..., 0]
        rows, columns = _block_means(height, self.blocks), _block_means(width, self.blocks).T
        filters = _gabor_filters(height, width, self.orientations)
        means = np.empty((len(filters), self.blocks, self.blocks), dtype=np.float32)
        response = np.empty((height, width, 2), dtype=np.float32)
        product = response.view(np.complex64)[..., 0]
        for gabor, mean in zip(filters, means, strict=True):
            np.multiply(spectrum, gabor, out=product)
            cv2.dft(response, response, flags=cv2.DFT_INVERSE | cv2.DFT_SCALE)
            mean[:] = (rows @ np.abs(product) @ columns).T
        return means.ravel()


def _whiten(grey: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Take the slow changes of brightness away, then even out the contrast."""
    padded = np.pad(grey, _PADDING_PX, mode="symmetric")
    logs: NDArray[np.float64] = np.log(np.arange(256.0) + 1)[padded]
    rows, columns = (_low_pass_basis(side) for side in padded.shape)
    flat: NDArray[np.float64] = logs - _low_pass(logs, rows, columns)
    deviation = np.sqrt(np.abs(_low_pass(flat * flat, rows, columns)))
    flat /= deviation + _LEAST_DEVIATION
    return flat[_PADDING_PX:-_PADDING_PX, _PADDING_PX:-_PADDING_PX]


def _low_pass(
    image: NDArray[np.float64], rows: NDArray[np.float64], columns: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Blur, round the edges: the Gaussian passes few frequencies, so that thin matrices beat an FFT."""
    blurred: NDArray[np.float64] = rows @ (rows.T @ image @ columns) @ columns.T
    return blurred


@lru_cache(maxsize=8)
def _low_pass_basis(side: int) -> NDArray[np.float64]:
    """(side, K): the low-pass along one side is this matrix times its transpose."""
    frequencies = np.arange(side // 2 + 1)
    gains = np.exp(-(frequencies**2) / _LOW_PASS_SQUARED)
    frequencies, gains = frequencies[gains > _LEAST_GAIN], gains[gains > _LEAST_GAIN]
    twins = np.where((frequencies == 0) | (2 * frequencies == side), 1, 2)  # the negative frequencies
    phases = 2 * np.pi / side * np.outer(np.arange(side), frequencies)
    basis: NDArray[np.float64] = np.hstack([np.cos(phases), np.sin(phases)]) * np.tile(
        np.sqrt(gains * twins / side), 2
    )
    basis.setflags(write=False)
    return basis


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


@lru_cache(maxsize=16)
def _block_means(side: int, blocks: int) -> NDArray[np.float32]:
    """(blocks, side): rows that average the pixels from i·side/blocks, rounded down, to the next."""
    edges = np.arange(blocks + 1) * side // blocks
    positions = np.arange(side)
    inside = (positions >= edges[:-1, None]) & (positions < edges[1:, None])
    means: NDArray[np.float32] = (inside / inside.sum(axis=1, keepdims=True)).astype(np.float32)
    means.setflags(write=False)
    return means
