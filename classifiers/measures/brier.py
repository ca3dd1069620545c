from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.measures.brier import brier_of
from classifiers.measures.draws import Draws


def brier(draws: Draws) -> NDArray[np.float64]:
    """The mean Brier score, summed over the classes; (n_draws,), in [0, 2]; lower is better.

    Source: Brier, Verification of forecasts expressed in terms of probability, 1950.
    """
    return draws.mean(brier_of(draws.posteriors, draws.labels))
