"""A fitted linear map of embeddings, in a file of its own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from cbir.errors import WeightsError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PROJECTION = "projection.safetensors"
"""Its name beside exported networks."""

_MEAN, _MATRIX = "mean", "matrix"
_MATRIX_NDIM = 2


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Subtract a mean, multiply with a matrix.

    Args:
        mean: (n_in,).
        matrix: (n_in, n_out).
        sha256: of the two: shapes and numbers.
    """

    mean: NDArray[np.float32]
    matrix: NDArray[np.float32]
    sha256: str

    @property
    def dim(self) -> int:
        """Of what comes out."""
        return int(self.matrix.shape[1])

    def apply(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """(B, n_in) to (B, n_out), not normalised."""
        return np.asarray((vectors - self.mean) @ self.matrix, dtype=np.float32)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what ``write_projection`` wrote.

        Raises:
            WeightsError: no such file, not safetensors, or not these two arrays.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            arrays = load(path.read_bytes())
            mean, matrix = (arrays[name].astype(np.float32) for name in (_MEAN, _MATRIX))
        except (OSError, SafetensorError, KeyError) as error:
            raise WeightsError(f"Projection {path} can't be read: {error}; fit it again.") from error
        fits = matrix.ndim == _MATRIX_NDIM and mean.shape == matrix.shape[:1]
        if not fits or not np.isfinite(mean).all() or not np.isfinite(matrix).all():
            raise WeightsError(
                f"Projection {path} holds a mean of shape {mean.shape} and a matrix of shape {matrix.shape}; "
                "it takes (n,) and (n, d), finite. Fit it again."
            )
        return cls.of(mean, matrix)

    @classmethod
    def of(
        cls,
        mean: NDArray[np.float32] | NDArray[np.float64],
        matrix: NDArray[np.float32] | NDArray[np.float64],
    ) -> Self:
        """Name two arrays, (n_in,) and (n_in, n_out), by their checksum."""
        projection = cls(_single(mean), _single(matrix), "")
        digest = hashlib.sha256(f"{matrix.shape}".encode())
        for each in (projection.mean, projection.matrix):
            digest.update(each.data)
        return replace(projection, sha256=digest.hexdigest())


def _single(values: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, dtype=np.float32)


def write_projection(path: Path, projection: Projection) -> None:
    """Write a projection as safetensors; a file that is there is replaced."""
    from safetensors.numpy import save_file

    save_file({_MEAN: projection.mean, _MATRIX: projection.matrix}, path)
