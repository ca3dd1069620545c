from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.ranking import Ranking


def precisions_found(ranking: Ranking, k: int) -> NDArray[np.float64]:
    """(n_found,), the precision at each relevant one of the first ``k`` hits: what every AP sums."""
    ranks = np.flatnonzero(ranking.first(k) == ranking.label) + 1
    return np.arange(1, len(ranks) + 1) / ranks
