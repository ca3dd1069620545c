from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from classifiers.measures.draws import Draws, divided


def f1(draws: Draws) -> NDArray[np.float64]:
    """The harmonic mean of precision and recall of a class, 2 TP / (2 TP + FP + FN); (n_draws, n_classes).

    NaN for a class that no image has or was given.

    Source: van Rijsbergen, Information Retrieval, 1979, chapter 7.
    """
    return divided(2 * draws.hits, draws.counts + draws.given, empty=math.nan)
