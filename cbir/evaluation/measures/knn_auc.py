from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from cbir.evaluation.measures.area import area_under_roc
from cbir.evaluation.measures.votes import answered, vote_shares
from cbir.evaluation.ranking import Ranking


def knn_auc(rankings: Sequence[Ranking], k: int) -> float:
    """Area under the ROC curve of the label shares of the first ``k`` hits, one class against the rest.

    The mean over the classes that some queries have and some don't; ties count half. NaN where there is none.

    Source: Hand, Till, Machine Learning 2001.
    """
    judged = answered(rankings)
    if not judged:
        return math.nan
    labels = np.array([each.label for each in judged])
    shares = np.stack([vote_shares(each, k) for each in judged])
    once = np.ones((1, len(labels)))
    areas = [
        float(area_under_roc(shares[:, code], labels == code, once)[0])
        for code in range(shares.shape[1])
        if 0 < (labels == code).sum() < len(labels)
    ]
    return float(np.mean(areas)) if areas else math.nan
