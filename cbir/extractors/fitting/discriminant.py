"""Linear discriminant analysis: the directions that tell labels apart, the spread within them made equal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import VectorError
from cbir.extractors.fitting.principal import centred_blocks
from cbir.extractors.fitting.shrinkage import Shrinkage, draw_together, ledoit_wolf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbir.extractors.fitting.principal import Principal

_NOTHING = 1e-10
"""Of the largest variance within the classes: less is none."""


def discriminant(
    vectors: NDArray[np.float32],
    mean: NDArray[np.float64],
    found: Principal,
    labels: Sequence[str],
    *,
    shrinkage: Shrinkage,
    dim: int,
) -> NDArray[np.float64]:
    """Whiten within the classes, then turn so that the classes' means differ most in the first columns.

    Args:
        vectors: (n, D), finite.
        mean: (D,), of the rows.
        found: their principal directions: what lies outside of them, no row has.
        labels: one a row, of at least two kinds.
        shrinkage: of the covariance within the classes.
        dim: columns, at most ``found.rank``.

    Returns:
        (D, dim).

    Raises:
        VectorError: the classes do not vary within, or in too few directions for a shrinkage of 0.

    Source: Fisher 1936; Rao 1948; in this order of steps Fukunaga, Statistical Pattern Recognition, 1990,
        section 10.2.
    """
    codes = np.unique(np.asarray(labels), return_inverse=True)[1]
    shares = np.bincount(codes) / len(codes)
    centres, fourth = _centres(vectors, mean, codes)
    means = np.sqrt(shares)[:, None] * (centres @ found.directions)
    variances, axes = np.linalg.eigh(np.diag(found.variances) - means.T @ means)
    variances = np.where(variances > max(variances[-1], 0.0) * _NOTHING, variances, 0.0)
    n_rows, n_in = vectors.shape
    if not variances[-1] > found.variances[0] * _NOTHING:
        raise VectorError(
            f"The {n_rows} rows of {len(shares)} labels do not vary within a label; take more rows of each."
        )
    amount = (
        ledoit_wolf(variances, fourth, n_rows=n_rows, n_in=n_in) if shrinkage == "ledoit-wolf" else shrinkage
    )
    drawn = draw_together(variances, amount, float(variances.sum()) / n_in)
    if not drawn.all():
        raise VectorError(
            f"Within their labels the {n_rows} rows vary in {np.count_nonzero(drawn)} of {len(drawn)} "
            "directions; give a shrinkage above 0, or more rows."
        )
    spread = axes / np.sqrt(drawn)
    return found.directions @ (spread @ _turn(means @ spread, variances / drawn, dim))


def _centres(
    vectors: NDArray[np.float32], mean: NDArray[np.float64], codes: NDArray[np.int64]
) -> tuple[NDArray[np.float64], float]:
    """The classes' means less the mean of all, and the mean fourth power of the rows' distance from them."""
    counts = np.bincount(codes)
    centres = np.zeros((len(counts), vectors.shape[1]))
    for rows, block in centred_blocks(vectors, mean):
        centres += (codes[rows] == np.arange(len(counts))[:, None]).astype(np.float64) @ block
    centres /= counts[:, None]
    fourth = sum(
        float((np.square(block - centres[codes[rows]]).sum(axis=1) ** 2).sum())
        for rows, block in centred_blocks(vectors, mean)
    )
    return centres, fourth / len(codes)


def _turn(means: NDArray[np.float64], within: NDArray[np.float64], dim: int) -> NDArray[np.float64]:
    """(r, dim): where the whitened means differ, then where the classes still vary most.

    Args:
        means: (n_classes, r), of the whitened classes, by the root of their share.
        within: (r,), what is left of the variance within the classes: 1 where nothing was shrunk.
        dim: columns.
    """
    _, lengths, rows = np.linalg.svd(means, full_matrices=False)
    telling = rows[lengths > lengths[0] * _NOTHING].T if lengths[0] else rows[:0].T
    if dim <= telling.shape[1]:
        return telling[:, :dim]
    # The projection onto what is left turns the telling directions' variance to 0, so that they come last.
    left = np.diag(within) - telling @ (telling.T * within)
    left -= (left @ telling) @ telling.T
    others = np.linalg.eigh(left)[1][:, ::-1][:, : dim - telling.shape[1]]
    return np.hstack([telling, others])
