from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from classifiers.measures.draws import Draws


def adjacent_errors(draws: Draws) -> NDArray[np.float64]:
    """The share of images that were given a neighbouring grade; (n_draws,). For ordinal classes."""
    return _share(draws, distances(draws.posteriors.shape[1]) == 1)


def far_errors(draws: Draws) -> NDArray[np.float64]:
    """The share of images that were given a grade two or more away; (n_draws,). For ordinal classes."""
    return _share(draws, distances(draws.posteriors.shape[1]) > 1)


def distances(n_grades: int) -> NDArray[np.int64]:
    """(n_grades, n_grades), how many grades lie between two."""
    grades = np.arange(n_grades)
    return np.asarray(np.abs(grades[:, np.newaxis] - grades), dtype=np.int64)


def _share(draws: Draws, counted: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.asarray((draws.confusion * counted).sum(axis=(1, 2)) / draws.totals, dtype=np.float64)
