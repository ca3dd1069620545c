"""How far a covariance of few rows is to be drawn towards a multiple of the identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Shrinkage: TypeAlias = float | Literal["ledoit-wolf"]
"""0 leaves a covariance as it is, 1 leaves its mean variance alone; ``ledoit-wolf`` asks the rows."""


def ledoit_wolf(variances: NDArray[np.float64], fourth: float, *, n_rows: int, n_in: int) -> float:
    """The shrinkage with the least expected squared error.

    Args:
        variances: every eigenvalue of the covariance (divisor n) that is not 0.
        fourth: the mean, over the centred rows, of the fourth power of the length.
        n_rows: how many rows there are.
        n_in: numbers in a row.

    Returns:
        From 0 to 1.

    Source: Ledoit and Wolf, A well-conditioned estimator for large-dimensional covariance matrices, 2004,
        lemmas 3.2 to 3.5.
    """
    squared = float((variances**2).sum())
    away = squared - float(variances.sum()) ** 2 / n_in
    noise = min((fourth - squared) / n_rows, away)
    return noise / away if noise > 0 else 0.0


def draw_together(variances: NDArray[np.float64], amount: float, mean_variance: float) -> NDArray[np.float64]:
    """Shrink variances towards their mean over all directions, those without any too."""
    drawn: NDArray[np.float64] = (1 - amount) * variances + amount * mean_variance
    return drawn
