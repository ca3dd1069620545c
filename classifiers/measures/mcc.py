from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classifiers.measures.draws import Draws, divided


def mcc(draws: Draws) -> NDArray[np.float64]:
    """Matthews' correlation of labels and answers, of any number of classes (R_K); (n_draws,).

    0 where all labels or all answers are one class.

    Source: Matthews 1975; Gorodkin, Computational Biology and Chemistry 2004.
    """
    n, hits = draws.totals, draws.hits.sum(axis=1)
    together = hits * n - (draws.counts * draws.given).sum(axis=1)
    labels, answers = (n**2 - (each**2).sum(axis=1) for each in (draws.counts, draws.given))
    return divided(together, np.sqrt(labels * answers), empty=0.0)
