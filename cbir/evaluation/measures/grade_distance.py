from __future__ import annotations

import math

import numpy as np

from cbir.evaluation.ranking import Ranking

_FAR = 2


def grade_distance(ranking: Ranking, k: int) -> float:
    """Mean |Δgrade|@k, for ordinal labels: how far the first ``k`` hits lie from the query; lower is better.

    The mean is over the hits there are; NaN without one. Grades are places among the study's classes.

    Source: mean absolute error of ordinal regression: Gaudette, Japkowicz, Canadian AI 2009.
    """
    hits = ranking.first(k)
    return float(np.abs(hits - ranking.label).mean()) if len(hits) else math.nan


def far_share(ranking: Ranking, k: int) -> float:
    """Share of the first ``k`` hits that lie two grades or more from the query; lower is better.

    Of the hits there are; NaN without one.
    """
    hits = ranking.first(k)
    return float((np.abs(hits - ranking.label) >= _FAR).mean()) if len(hits) else math.nan
