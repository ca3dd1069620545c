from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.measures.votes import vote_shares
from cbir.evaluation.ranking import Ranking


def brier(ranking: Ranking, k: int) -> float:
    """One query's Brier score of the label shares of its first ``k`` hits, in [0, 2]; lower is better.

    Summed over the classes, as Brier did; NaN without a hit.

    Source: Brier, Verification of forecasts expressed in terms of probability, 1950.
    """
    return float(brier_of(vote_shares(ranking, k)[np.newaxis], np.array([ranking.label]))[0])


def brier_of(posteriors: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n,), the Brier score of each row.

    Args:
        posteriors: (n, n_classes).
        labels: (n,), codes of the classes.
    """
    right = np.arange(posteriors.shape[1]) == labels[:, np.newaxis]
    return np.asarray(((posteriors - right) ** 2).sum(axis=1), dtype=np.float64)
