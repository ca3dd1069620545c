from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from classifiers.measures.draws import Draws, divided


def specificity(draws: Draws) -> NDArray[np.float64]:
    """Of the images that are not of a class, the share that were not given it; (n_draws, n_classes).

    NaN where all images are of the class.
    """
    others = draws.totals[:, np.newaxis] - draws.counts
    return divided(others - (draws.given - draws.hits), others, empty=math.nan)
