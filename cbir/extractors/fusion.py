"""Raw vectors of the branches to one unit vector an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import VectorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def fuse(raw: Sequence[NDArray[np.float32]], weights: Sequence[float]) -> NDArray[np.float32]:
    """Bring each branch to unit length, weigh, join, and bring the whole to unit length.

    Args:
        raw: one (B, dim of the branch) array a branch, of any length.
        weights: one a branch, > 0.

    Returns:
        (B, sum of the dims), unit rows.

    Raises:
        VectorError: a row that is not finite, or zero; names the branch and the first such row.
    """
    units = [_unit_rows(vectors, branch) for branch, vectors in enumerate(raw)]
    if len(units) == 1:
        return units[0]
    shares = np.asarray(weights, dtype=np.float32) / np.float32(np.linalg.norm(weights))
    return np.concatenate([unit * share for unit, share in zip(units, shares, strict=True)], axis=1)


def _unit_rows(vectors: NDArray[np.float32], branch: int) -> NDArray[np.float32]:
    # Squares of float32 leave its range from 1.8e19 on; float64 holds them all.
    norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    bad = np.flatnonzero(~np.isfinite(norms) | (norms == 0))
    if bad.size:
        what = "zero" if norms[bad[0]] == 0 else "not finite"
        raise VectorError(f"Branch {branch}: the vector of the batch's image {bad[0]} is {what}; drop it.")
    unit: NDArray[np.float32] = (vectors / norms[:, None]).astype(np.float32)
    return unit
