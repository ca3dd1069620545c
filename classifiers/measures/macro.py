from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from classifiers.measures.draws import Draws, divided


def macro(measure: Callable[[Draws], NDArray[np.float64]]) -> Callable[[Draws], NDArray[np.float64]]:
    """The mean of a measure over the classes that a draw has images of."""

    def mean(draws: Draws) -> NDArray[np.float64]:
        return mean_over_classes(measure(draws), draws.counts)

    return mean


def mean_over_classes(values: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n_draws,), over the classes that have images and a value; NaN where none has.

    Args:
        values: (n_draws, n_classes).
        counts: (n_draws, n_classes), images.
    """
    there = (counts > 0) & ~np.isnan(values)
    return divided(np.where(there, values, 0.0).sum(axis=1), there.sum(axis=1).astype(float), empty=math.nan)
