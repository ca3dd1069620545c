"""What may be stored or searched for: finite vectors of unit length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cbir.errors import VectorError

LENGTH_TOLERANCE = 1e-3
"""A length that is further from 1 is an error; a nearer one is made 1."""

_ROUNDING = 1e-6
_PARTS_NDIM = 2


def unit(vector: NDArray[np.float32], dim: int) -> NDArray[np.float32]:
    """Check a vector and bring it to unit length; one that has it to float32's precision stays as it is.

    Args:
        vector: (dim,), length within LENGTH_TOLERANCE of 1.
        dim: of the index.

    Raises:
        VectorError: another shape, not finite, or another length.
    """
    if vector.shape != (dim,):
        raise VectorError(f"An embedding has the shape {vector.shape}, the index holds ({dim},).")
    checked = np.ascontiguousarray(vector, dtype=np.float32)
    squared = float(np.dot(checked, checked))
    if abs(squared - 1.0) <= _ROUNDING:
        return checked
    if not np.isfinite(checked).all():
        raise VectorError("An embedding holds values that are not finite; the network failed on it.")
    length = float(np.linalg.norm(checked.astype(np.float64)))
    if abs(length - 1.0) > LENGTH_TOLERANCE:
        raise VectorError(f"An embedding has the length {length:.6g}, not 1: divide it by its length.")
    return (checked / length).astype(np.float32)


def unit_parts(vectors: NDArray[np.float32], dim: int) -> NDArray[np.float32]:
    """Check the vectors of an image's parts and bring them to unit length.

    Args:
        vectors: (n_parts, dim), or (dim,) of a single part; lengths within LENGTH_TOLERANCE of 1.
        dim: of the index.

    Returns:
        (n_parts, dim).

    Raises:
        VectorError: another shape, no part, not finite, or another length.
    """
    if vectors.ndim != _PARTS_NDIM:
        return unit(vectors, dim)[np.newaxis]
    if not len(vectors):
        raise VectorError("An image has no part, at least 1 is needed: embed its tiles, or the whole image.")
    return np.stack([unit(vector, dim) for vector in vectors])
