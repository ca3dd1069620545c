"""Raw vectors of the branches to one unit vector an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import VectorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbir.extractors.spec import FusionSpec


def fuse(raw: Sequence[NDArray[np.float32]], fusion: FusionSpec) -> NDArray[np.float32]:
    """Join the branches' vectors as the spec says, and bring the whole to unit length.

    A branch whose vector is zero (a descriptor of gradients, on a blank image) adds nothing; the other
    branches then make up the length.

    Args:
        raw: one (B, dim of the branch) array a branch, of any length.
        fusion: the method, and one weight a branch.

    Returns:
        (B, sum of the dims), unit rows.

    Raises:
        VectorError: a row that is not finite, or zero in every branch; names the branch and the first such
            row.
    """
    norms = [_norms(vectors, branch) for branch, vectors in enumerate(raw)]
    if fusion.method == "raw":
        scales = [np.ones_like(each) for each in norms]
    else:
        shares = np.asarray(fusion.weights, dtype=np.float64)
        shares = np.sqrt(shares) if fusion.method == "score" else shares
        scales = [
            np.divide(share, each, out=np.zeros_like(each), where=each > 0)
            for share, each in zip(shares, norms, strict=True)
        ]
    lengths = np.sqrt(
        np.sum([(scale * norm) ** 2 for scale, norm in zip(scales, norms, strict=True)], axis=0)
    )
    if not lengths.all():
        bad = int(np.flatnonzero(lengths == 0)[0])
        raise VectorError(f"Branch 0: the vector of the batch's image {bad} is zero; drop it.")
    return np.concatenate(
        [
            (vectors * (scale / lengths)[:, None]).astype(np.float32)
            for vectors, scale in zip(raw, scales, strict=True)
        ],
        axis=1,
    )


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bring rows to unit length.

    Args:
        vectors: (B, dim).

    Raises:
        VectorError: a row that is zero or not finite.
    """
    norms = _norms(vectors, 0)
    if not norms.all():
        bad = int(np.flatnonzero(norms == 0)[0])
        raise VectorError(f"The vector of the batch's image {bad} is zero; drop it.")
    unit: NDArray[np.float32] = (vectors / norms[:, None]).astype(np.float32)
    return unit


def _norms(vectors: NDArray[np.float32], branch: int) -> NDArray[np.float64]:
    # Squares of float32 leave its range from 1.8e19 on; float64 holds them all.
    norms: NDArray[np.float64] = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
    bad = np.flatnonzero(~np.isfinite(norms))
    if bad.size:
        raise VectorError(
            f"Branch {branch}: the vector of the batch's image {bad[0]} is not finite; drop it."
        )
    return norms
