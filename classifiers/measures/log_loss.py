from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classifiers.measures.draws import Draws

LEAST = float(np.finfo(np.float64).eps)
"""A smaller probability counts as this one: certain and wrong costs 36, not infinity."""


def log_loss(draws: Draws) -> NDArray[np.float64]:
    """The mean of -log of the label's probability, in nats; (n_draws,); lower is better.

    Source: Good, Rational Decisions, 1952.
    """
    of_label = draws.posteriors[np.arange(len(draws.labels)), draws.labels]
    return draws.mean(-np.log(np.clip(of_label, LEAST, 1.0)))
