"""What may be stored or searched for: finite vectors of unit length."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import VectorError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LENGTH_TOLERANCE = 1e-3
"""A length that is further from 1 is an error; a nearer one is made 1."""


def unit(vector: NDArray[np.float32], dim: int) -> NDArray[np.float64]:
    """Check a vector and bring it to unit length.

    Args:
        vector: (dim,), length within LENGTH_TOLERANCE of 1.
        dim: of the index.

    Raises:
        VectorError: another shape, not finite, or another length.
    """
    if vector.shape != (dim,):
        raise VectorError(f"An embedding has the shape {vector.shape}, the index holds ({dim},).")
    exact = vector.astype(np.float64)
    length = float(np.vecdot(exact, exact)) ** 0.5
    if not abs(length - 1.0) <= LENGTH_TOLERANCE:  # holds for NaN, too
        if not np.isfinite(exact).all():
            raise VectorError("An embedding holds values that are not finite; the network failed on it.")
        raise VectorError(f"An embedding has the length {length:.6g}, not 1: divide it by its length.")
    exact /= length
    return exact
