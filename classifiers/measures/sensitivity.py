from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from classifiers.measures.draws import Draws, divided


def sensitivity(draws: Draws) -> NDArray[np.float64]:
    """Of the images of a class, the share that were given it (recall); (n_draws, n_classes).

    Its macro mean is balanced accuracy. NaN for a class without an image.
    """
    return divided(draws.hits, draws.counts, empty=math.nan)
