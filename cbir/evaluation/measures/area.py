"""The area under a ROC curve, ties and all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def area_under_roc(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How likely a positive scores higher than a negative; ties count half. Exact.

    Args:
        scores: (n,), higher is more likely positive.
        positive: (n,).
        weights: (n_draws, n), how often each counts.

    Returns:
        (n_draws,), NaN where a draw has only positives or only negatives.

    Source: Mann, Whitney, Annals of Mathematical Statistics 1947.
    """
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))
    ordered = weights[:, order]
    for_positive = np.add.reduceat(ordered * positive[order], starts, axis=1)
    for_negative = np.add.reduceat(ordered * ~positive[order], starts, axis=1)
    below = np.cumsum(for_negative, axis=1) - for_negative / 2
    pairs = for_positive.sum(axis=1) * for_negative.sum(axis=1)
    area = np.full(len(weights), np.nan)
    np.divide((for_positive * below).sum(axis=1), pairs, out=area, where=pairs > 0)
    return area
