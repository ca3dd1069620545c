"""Mahbod et al., pre-trained CNNs and foundation models for content-based medical image retrieval.

Read: masih4/MedImageRetrieval, ``metric.py`` at commit 0223b3c1 (``ap_k``, ``acc_k``, ``mMV_k``; the older
``mMV_k_old``) and ``main_2D_foundation.py`` at e1c7c1fa. The paper: Evaluating Pre-trained Convolutional
Neural Networks and Foundation Models as Feature Extractors for Content-based Medical Image Retrieval, arXiv
2409.09430; it reports mAP@5, mMV@5, and ACC@1, 3 and 5.
"""

from __future__ import annotations

import math

import numpy as np

from cbir.evaluation.definitions.definition import DefinedMeasure, Definition
from cbir.evaluation.definitions.found import precisions_found
from cbir.evaluation.measures.hit import hit
from cbir.evaluation.measures.vote_accuracy import vote_accuracy
from cbir.evaluation.ranking import Ranking


def average_precision(ranking: Ranking, k: int) -> float:
    """mAP@k of one query: precisions at the relevant hits, summed, divided by those found; 0 without one."""
    found = precisions_found(ranking, k)
    return float(found.mean()) if len(found) else 0.0


def kindest_vote(ranking: Ranking, k: int) -> float:
    """mMV@k of one query: 1 where no label has more of the first ``k`` hits than its own; NaN without."""
    hits = ranking.first(k)
    if not len(hits):
        return math.nan
    counts = np.bincount(hits, minlength=len(ranking.eligible))
    return float(counts[ranking.label] == counts.max())


MAHBOD = Definition(
    name="mahbod",
    title="Mahbod et al. (pre-trained CNNs and foundation models for CBMIR)",
    source=(
        "masih4/MedImageRetrieval, metric.py, commit 0223b3c1, and main_2D_foundation.py, commit e1c7c1fa; "
        "arXiv 2409.09430"
    ),
    differs=(
        "mAP@k divides by the relevant hits found among the first k, ours by R: missed items cost nothing",
        "mMV@k is right if the query's label is among the tied, ours and mMV@k (old) if its hit is first",
        "ACC@k is our Hit@k, not the accuracy of a vote; the paper gives it at 1, 3 and 5, all else at 5",
        "the means are micro, over queries; macro is not taken",
        "hits are ordered by Euclidean distance in the code, by cosine in its README and here",
        "queries are another split than the gallery, which nothing leaves; ours takes out the query's group",
    ),
    measures={
        "mAP@k": DefinedMeasure(average_precision, "average_precision"),
        "mMV@k": DefinedMeasure(kindest_vote, "vote_accuracy"),
        "mMV@k (old)": DefinedMeasure(vote_accuracy, "vote_accuracy"),
        "ACC@1": DefinedMeasure(hit, "hit", at=1),
        "ACC@3": DefinedMeasure(hit, "hit", at=3),
        "ACC@5": DefinedMeasure(hit, "hit", at=5),
    },
)
