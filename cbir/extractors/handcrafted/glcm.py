"""Grey-level co-occurrence: which greys lie beside which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cbir.errors import SpecError
from cbir.extractors.handcrafted.descriptor import check_grey, check_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAX_LEVELS = 256
_MAX_DISTANCE_PX = 256
_N_PROPERTIES = 6
_LEAST_VARIANCE = 1e-30


@dataclass(frozen=True, slots=True)
class Glcm:
    """Six properties of the co-occurrence matrix at each distance, the mean over four directions.

    In order, at the first distance, then at the next: contrast, dissimilarity, homogeneity, energy,
    correlation, entropy (natural logarithm). Each is the mean of scikit-image's ``graycoprops`` over 0, 45,
    90 and 135 degrees, of symmetric, normed matrices of the greys ``grey * levels // 256``. A diagonal
    neighbour at distance d is ``round(d / √2)`` pixels off each way, so that 1 and 2 would count the same.
    As there, a matrix of one grey has correlation 1, and one without any pair (the image is no larger than
    the distance) has correlation 1 and 0 for the rest.

    Args:
        side_px: images are resized to this square.
        levels: greys told apart, 2 to 256.
        distances_px: from a pixel to its neighbour.

    Raises:
        SpecError: a value out of its range.

    Source: Haralick et al., IEEE Trans. SMC 1973.
    """

    name: ClassVar[str] = "glcm"

    side_px: int = 512
    levels: int = 32
    distances_px: tuple[int, ...] = (1, 3, 5)

    def __post_init__(self) -> None:
        check_whole(self.name, "side_px", self.side_px, least=1)
        check_whole(self.name, "levels", self.levels, least=2, most=_MAX_LEVELS)
        if not self.distances_px:
            raise SpecError("Descriptor glcm: distances_px is empty; name one distance or more.")
        for distance in self.distances_px:
            check_whole(self.name, "distances_px", distance, least=1, most=_MAX_DISTANCE_PX)

    @property
    def dim(self) -> int:
        """Six a distance."""
        return _N_PROPERTIES * len(self.distances_px)

    @property
    def input_px(self) -> tuple[int, int]:
        """A square."""
        return self.side_px, self.side_px

    def describe(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Describe an image of any size: (H, W) to (dim,)."""
        check_grey(self.name, grey)
        table = (np.arange(256) * self.levels // 256).astype(np.uint8)
        quantised = table[grey]
        matrices = [
            _pairs(quantised, down, across, self.levels)
            for distance in self.distances_px
            for down, across in _offsets(distance)
        ]
        values = _properties(np.array(matrices))
        means: NDArray[np.float64] = values.reshape(len(self.distances_px), -1, _N_PROPERTIES).mean(axis=1)
        return means.astype(np.float32).ravel()


def _offsets(distance: int) -> tuple[tuple[int, int], ...]:
    """Rows down and columns to the right, to the neighbours at 0, 45, 90, 135 degrees."""
    diagonal = round(distance / np.sqrt(2))
    return (0, distance), (diagonal, diagonal), (distance, 0), (diagonal, -diagonal)


def _pairs(quantised: NDArray[np.uint8], down: int, across: int, levels: int) -> NDArray[np.float64]:
    """(levels, levels): the share of each pair of greys, in either order; zeros where there is no pair."""
    import cv2

    height, width = quantised.shape
    if down >= height or abs(across) >= width:
        return np.zeros((levels, levels))
    left, right = max(-across, 0), max(across, 0)
    first = quantised[: height - down, left : width - right]
    second = quantised[down:, right : width - left]
    counts = cv2.calcHist([first, second], [0, 1], None, [levels, levels], [0, levels, 0, levels])
    return (counts + counts.T).astype(np.float64) / (2 * first.size)


def _properties(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, levels, levels) to (N, 6); the matrices are symmetric, so that rows and columns have one mean."""
    n, levels, _ = shares.shape
    greys = np.arange(levels, dtype=np.float64)
    apart = np.abs(greys[:, None] - greys)
    weights = np.stack([apart**2, apart, 1 / (1 + apart**2)])
    flat = shares.reshape(n, -1)
    contrast, dissimilarity, homogeneity = (flat @ weights.reshape(len(weights), -1).T).T
    energy = np.sqrt((flat * flat).sum(axis=1))
    logs = np.log(flat, where=flat > 0, out=np.zeros_like(flat))
    off = greys - (shares.sum(axis=2) @ greys)[:, None]
    variance = (shares.sum(axis=2) * off**2).sum(axis=1)
    covariance = np.einsum("ni,nij,nj->n", off, shares, off)
    correlation = np.ones(n)
    np.divide(covariance, variance, out=correlation, where=variance > _LEAST_VARIANCE)
    return np.column_stack(
        [contrast, dissimilarity, homogeneity, energy, correlation, -(flat * logs).sum(axis=1)]
    )
