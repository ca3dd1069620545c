"""The area under a ROC curve, ties and all."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

_SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")
"""How many negatives lie below a score, and how many below or at it."""


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
    negatives = np.flatnonzero(~positive)
    order = negatives[np.argsort(scores[negatives], kind="stable")]
    places = [np.searchsorted(scores[order], scores[positive], side) for side in _SIDES]
    below = np.zeros((len(weights), len(order) + 1))
    np.cumsum(weights[:, order], axis=1, out=below[:, 1:])
    of_positive = weights[:, positive]
    wins = (of_positive * (below[:, places[0]] + below[:, places[1]])).sum(axis=1) / 2
    pairs = of_positive.sum(axis=1) * below[:, -1]
    area = np.full(len(weights), np.nan)
    np.divide(wins, pairs, out=area, where=pairs > 0)
    return area
