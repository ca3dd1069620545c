"""Zernike moments: the shape of the brightness, whichever way it is turned."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import comb, factorial, pi
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cbir.errors import SpecError
from cbir.extractors.handcrafted.descriptor import check_grey, check_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MAX_DEGREE = 12


@dataclass(frozen=True, slots=True)
class Zernike:
    """Magnitudes of the Zernike moments, as mahotas' ``zernike_moments`` computes them.

    On a disc round the image's centre of mass, with a radius of half the shorter side: what lies outside is
    ignored, brightness within sums to 1. The order is degree, then repetition. An image that is black
    within the disc has no centre of mass and no moments: zeros, as there.

    Args:
        side_px: images are resized to this square.
        degree: highest degree, to 12: above, powers cancel too much.
        radius: of the disc, as a share of the shorter side.

    Raises:
        SpecError: a value out of its range.

    Source: Teague, J. Opt. Soc. Am. 1980.
    """

    name: ClassVar[str] = "zernike"

    side_px: int = 512
    degree: int = 8
    radius: float = 0.5

    def __post_init__(self) -> None:
        check_whole(self.name, "side_px", self.side_px, least=1)
        check_whole(self.name, "degree", self.degree, least=0, most=_MAX_DEGREE)
        if not 0 < self.radius < float("inf"):
            raise SpecError(f"Descriptor zernike: radius is {self.radius}; it must be a positive number.")

    @property
    def dim(self) -> int:
        """Pairs of degree n and repetition l <= n, both even or both odd."""
        return len(_orders(self.degree))

    @property
    def input_px(self) -> tuple[int, int]:
        """A square."""
        return self.side_px, self.side_px

    def describe(self, grey: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Describe an image of any size: (H, W) to (dim,), each value >= 0."""
        check_grey(self.name, grey)
        row_sums, column_sums = (grey.sum(axis=axis, dtype=np.int64) for axis in (1, 0))
        mass = int(row_sums.sum())
        if mass == 0:
            return np.zeros(self.dim, dtype=np.float32)
        radius_px = self.radius * min(grey.shape)
        down, across = (
            (np.arange(len(sums)) - int(sums @ np.arange(len(sums))) / mass) / radius_px
            for sums in (row_sums, column_sums)
        )
        distances = across**2 + (down**2)[:, None]
        inside = np.sqrt(distances, out=distances) <= 1  # the root, for the same rounding on the rim
        disc = np.multiply(grey, inside, dtype=np.float64)
        total = disc.sum()
        if total == 0:
            return np.zeros(self.dim, dtype=np.float32)
        powers = np.arange(self.degree + 1)[:, None]
        of_rows = np.vecdot(disc, (across**powers)[:, None])  # a large matrix product would wake BLAS threads
        moments = of_rows @ (down**powers).T / total
        magnitudes: NDArray[np.float64] = np.abs(_coefficients(self.degree) @ moments.ravel())
        return magnitudes.astype(np.float32)


def _orders(degree: int) -> list[tuple[int, int]]:
    return [(n, m) for n in range(degree + 1) for m in range(n % 2, n + 1, 2)]


@lru_cache(maxsize=8)
def _coefficients(degree: int) -> NDArray[np.complex128]:
    """(dim, (degree + 1)²): Zernike moments as sums of the moments of x^p y^q, at p · (degree + 1) + q.

    With z = x + iy, the polynomial of degree n and repetition m is z^m times one in |z|² = x² + y².
    """
    side = degree + 1
    table = np.zeros((len(_orders(degree)), side, side), dtype=np.complex128)
    for row, (n, m) in zip(table, _orders(degree), strict=True):
        for s in range((n - m) // 2 + 1):
            radial = (-1) ** s * factorial(n - s)
            radial //= factorial(s) * factorial((n + m) // 2 - s) * factorial((n - m) // 2 - s)
            t = (n - m) // 2 - s
            for j in range(m + 1):
                for k in range(t + 1):
                    row[j + 2 * k, m - j + 2 * (t - k)] += radial * comb(m, j) * 1j ** (m - j) * comb(t, k)
    norms = np.array([(n + 1) / pi for n, _ in _orders(degree)])
    coefficients: NDArray[np.complex128] = table.reshape(len(table), -1) * norms[:, None]
    coefficients.setflags(write=False)
    return coefficients
