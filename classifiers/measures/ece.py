from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.measures.ece import N_BINS, bins_of
from classifiers.measures.draws import Draws


def ece(draws: Draws) -> NDArray[np.float64]:
    """Expected calibration error of the answer's probability; (n_draws,); lower is better.

    Fifteen bins of equal width, closed above.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, equation 3.
    """
    sure = draws.posteriors.max(axis=1)
    right = draws.answers == draws.labels
    gaps = draws.sums(bins_of(sure), N_BINS, right - sure)
    return np.asarray(np.abs(gaps).sum(axis=1) / draws.totals, dtype=np.float64)
