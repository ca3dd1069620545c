"""The directions in which rows vary, the most first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_BLOCK = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Principal:
    """The eigenvectors of a covariance (divisor n) whose variances are not 0.

    Args:
        variances: (rank,), descending.
        directions: (D, rank), unit columns at right angles.
    """

    variances: NDArray[np.float64]
    directions: NDArray[np.float64]

    @property
    def rank(self) -> int:
        """In how many directions the rows vary."""
        return len(self.variances)


def principal(vectors: NDArray[np.float32], mean: NDArray[np.float64]) -> Principal:
    """Take apart the rows' covariance, or their products with each other: whichever is smaller.

    Args:
        vectors: (n, D), finite; summed in float64.
        mean: (D,), of the rows.
    """
    n_rows, n_in = vectors.shape
    if n_rows < n_in:
        centred = vectors.astype(np.float64) - mean
        variances, sides = _descending(centred @ centred.T / n_rows, mean)
        directions = centred.T @ sides
        return Principal(variances, directions / np.linalg.norm(directions, axis=0))
    covariance = np.zeros((n_in, n_in))
    for _, block in centred_blocks(vectors, mean):
        covariance += block.T @ block
    return Principal(*_descending(covariance / n_rows, mean))


def centred_blocks(
    vectors: NDArray[np.float32], mean: NDArray[np.float64]
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """The rows less their mean in float64, some at a time, so that memory stays bounded."""
    for start in range(0, len(vectors), _BLOCK):
        rows = slice(start, min(start + _BLOCK, len(vectors)))
        yield rows, vectors[rows].astype(np.float64) - mean


def _descending(
    covariance: NDArray[np.float64], mean: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    variances, columns = np.linalg.eigh(covariance)
    # The rows are float32: what is smaller than their rounding is no variance.
    least = (np.abs(variances).sum() + mean @ mean) * np.finfo(np.float32).eps ** 2
    n_real = int((variances > least).sum())
    kept = slice(len(variances) - n_real, None)
    return variances[kept][::-1], columns[:, kept][:, ::-1]
