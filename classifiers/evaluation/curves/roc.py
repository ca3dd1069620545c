from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Roc:
    """A point a threshold, from nobody called positive to everybody.

    Args:
        false_rates: (n_points,), 1 - specificity, ascending.
        true_rates: (n_points,), sensitivity, ascending.
        thresholds: (n_points,), a score this high or higher is called positive; infinity first.
    """

    false_rates: NDArray[np.float64]
    true_rates: NDArray[np.float64]
    thresholds: NDArray[np.float64]


def roc_of(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> Roc:
    """The ROC curve: equal scores are one point, so that its area is exact.

    Args:
        scores: (n,), higher is more likely positive.
        positive: (n,), some and not all.

    Source: Fawcett, An introduction to ROC analysis, Pattern Recognition Letters 2006, algorithm 1.
    """
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[order], append=-np.inf))
    true, false = np.cumsum(positive[order])[last], np.cumsum(~positive[order])[last]
    return Roc(
        np.concatenate([[0.0], false / false[-1]]),
        np.concatenate([[0.0], true / true[-1]]),
        np.concatenate([[np.inf], scores[order][last]]),
    )
