from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classifiers.measures.draws import Draws, divided


def precision(draws: Draws) -> NDArray[np.float64]:
    """Of the images given a class, the share that are of it; (n_draws, n_classes).

    0 where no image was given the class.
    """
    return divided(draws.hits, draws.given, empty=0.0)
