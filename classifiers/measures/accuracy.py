from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classifiers.measures.draws import Draws


def accuracy(draws: Draws) -> NDArray[np.float64]:
    """The share of images whose most probable class is their label; (n_draws,)."""
    return np.asarray(draws.hits.sum(axis=1) / draws.totals, dtype=np.float64)
