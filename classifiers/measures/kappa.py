from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.measures.kappa import kappa_of
from classifiers.measures.draws import Draws


def quadratic_kappa(draws: Draws) -> NDArray[np.float64]:
    """QWK: agreement of answers and grades beyond chance, weighted by squared distance; (n_draws,).

    For ordinal classes. NaN where all labels and answers are one grade.

    Source: Cohen, Weighted kappa, Psychological Bulletin 1968.
    """
    return kappa_of(draws.confusion)
