from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

THRESHOLDS = tuple(percent / 100 for percent in range(1, 100))


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """Net benefit by the probability from which one would act; of acting on nobody it is 0.

    Args:
        thresholds: (n,), between 0 and 1.
        model: (n,), of acting on those whose probability reaches the threshold.
        everybody: (n,), of acting on all.
    """

    thresholds: NDArray[np.float64]
    model: NDArray[np.float64]
    everybody: NDArray[np.float64]


def decision_curve(probabilities: NDArray[np.float64], positive: NDArray[np.bool_]) -> Decision:
    """What acting on a class's probability brings, false alarms weighted by the threshold's odds.

    Args:
        probabilities: (n_images,), of the class.
        positive: (n_images,), whether each is of it.

    Source: Vickers, Elkin, Decision Curve Analysis, Medical Decision Making 2006.
    """
    thresholds = np.array(THRESHOLDS)
    odds = thresholds / (1 - thresholds)
    n, n_positive = len(positive), int(positive.sum())
    true, false = (_reaching(probabilities[chosen], thresholds) for chosen in (positive, ~positive))
    everybody = (n_positive - (n - n_positive) * odds) / n
    return Decision(thresholds, (true - false * odds) / n, everybody)


def _reaching(probabilities: NDArray[np.float64], thresholds: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many reach each threshold."""
    return len(probabilities) - np.searchsorted(np.sort(probabilities), thresholds, side="left")
