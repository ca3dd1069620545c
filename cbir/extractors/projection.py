"""A fitted map of embeddings, in a file of its own: one matrix, or a few with ReLU between."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cbir.errors import WeightsError

PROJECTION = "projection.safetensors"
"""Its name beside exported networks."""

Numbers: TypeAlias = NDArray[np.float32] | NDArray[np.float64]

_MEAN, _MATRIX, _BIAS = "mean", "matrix", "bias"
_MATRIX_NDIM = 2


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Multiply with a matrix, add a bias.

    Args:
        matrix: (n_in, n_out).
        bias: (n_out,).
    """

    matrix: NDArray[np.float32]
    bias: NDArray[np.float32]

    @classmethod
    def of(cls, matrix: Numbers, bias: Numbers | None = None) -> Self:
        """Take two arrays as float32; without a bias it is zero."""
        return cls(_single(matrix), _single(np.zeros(matrix.shape[1]) if bias is None else bias))


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Subtract a mean, then go through the layers, with ReLU between any two.

    Args:
        mean: (n_in,).
        layers: at least one.
        sha256: of the arrays: shapes and numbers.
    """

    mean: NDArray[np.float32]
    layers: tuple[Layer, ...]
    sha256: str

    @property
    def n_in(self) -> int:
        """Numbers in a vector that goes in."""
        return len(self.mean)

    @property
    def dim(self) -> int:
        """Of what comes out."""
        return int(self.layers[-1].matrix.shape[1])

    def apply(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """(B, n_in) to (B, dim), not normalised."""
        first, *others = self.layers
        rows = np.asarray((vectors - self.mean) @ first.matrix + first.bias, dtype=np.float32)
        for layer in others:
            rows = np.asarray(rows.clip(min=0) @ layer.matrix + layer.bias, dtype=np.float32)
        return rows

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what ``write_projection`` wrote, in this version or an older one.

        Raises:
            WeightsError: no such file, not safetensors, or not these arrays.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            arrays = {name: _single(array) for name, array in load(path.read_bytes()).items()}
            mean, layers = arrays[_MEAN], _layers_of(arrays)
        except (OSError, SafetensorError, KeyError) as error:
            raise WeightsError(f"Projection {path} can't be read: {error}; fit it again.") from error
        used = [mean, *(each for layer in layers for each in (layer.matrix, layer.bias))]
        if not _fit_together(mean, layers) or not all(np.isfinite(each).all() for each in used):
            shapes = ", then ".join(f"{layer.matrix.shape} and {layer.bias.shape}" for layer in layers)
            raise WeightsError(
                f"Projection {path} holds a mean of shape {mean.shape} and matrices and biases of shapes "
                f"{shapes}; it takes (n,), then (n, d) and (d,) and so on, finite. Fit it again."
            )
        return cls.through(mean, layers)

    @classmethod
    def of(cls, mean: Numbers, matrix: Numbers) -> Self:
        """Name a linear map, (n_in,) and (n_in, n_out), by its checksum."""
        return cls.through(mean, [Layer.of(matrix)])

    @classmethod
    def through(cls, mean: Numbers, layers: Sequence[Layer]) -> Self:
        """Name a mean and layers by their checksum."""
        projection = cls(_single(mean), tuple(layers), "")
        arrays = projection.arrays()
        # A linear map has the name that it had before there were layers.
        shapes = (
            projection.layers[0].matrix.shape if _MATRIX in arrays else [a.shape for a in arrays.values()]
        )
        digest = hashlib.sha256(f"{shapes}".encode())
        for each in arrays.values():
            digest.update(each.data)
        return replace(projection, sha256=digest.hexdigest())

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """As the file names them: a linear map's matrix alone, else ``0.matrix``, ``0.bias`` and so on."""
        first = self.layers[0]
        if len(self.layers) == 1 and not first.bias.any():
            return {_MEAN: self.mean, _MATRIX: first.matrix}
        arrays = {_MEAN: self.mean}
        for number, layer in enumerate(self.layers):
            arrays |= {f"{number}.{_MATRIX}": layer.matrix, f"{number}.{_BIAS}": layer.bias}
        return arrays


def write_projection(path: Path, projection: Projection) -> None:
    """Write a projection as safetensors; a file that is there is replaced."""
    from safetensors.numpy import save_file

    save_file(projection.arrays(), path)


def _layers_of(arrays: dict[str, NDArray[np.float32]]) -> list[Layer]:
    if _MATRIX in arrays:
        matrix = arrays[_MATRIX]
        return [Layer(matrix, _single(np.zeros(matrix.shape[-1:])))]
    n_layers = len(arrays) // 2  # and a mean: where one of a pair is missing, its name is looked for
    return [Layer(arrays[f"{n}.{_MATRIX}"], arrays[f"{n}.{_BIAS}"]) for n in range(max(n_layers, 1))]


def _fit_together(mean: NDArray[np.float32], layers: Sequence[Layer]) -> bool:
    shape = mean.shape
    for layer in layers:
        if layer.matrix.ndim != _MATRIX_NDIM or layer.matrix.shape[:1] != shape:
            return False
        shape = layer.matrix.shape[1:]
        if layer.bias.shape != shape:
            return False
    return True


def _single(values: Numbers) -> NDArray[np.float32]:
    return np.ascontiguousarray(values, dtype=np.float32)
