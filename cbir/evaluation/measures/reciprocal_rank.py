from __future__ import annotations

import numpy as np

from cbir.evaluation.ranking import Ranking


def reciprocal_rank(ranking: Ranking, k: int) -> float:
    """1 / the rank of the first relevant hit; 0 where none is among the first ``k``. Its mean is MRR@k.

    Source: Voorhees, The TREC-8 Question Answering Track Report, 1999.
    """
    ranks = np.flatnonzero(ranking.first(k) == ranking.label) + 1
    return 1 / int(ranks[0]) if len(ranks) else 0.0
