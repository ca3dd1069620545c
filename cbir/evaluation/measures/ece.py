from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.measures.votes import answered, majority_vote, vote_shares
from cbir.evaluation.ranking import Ranking

N_BINS = 15


def ece(rankings: Sequence[Ranking], k: int) -> float:
    """Expected calibration error of the majority vote's share as its probability; lower is better.

    Fifteen bins of equal width, closed above; NaN without an answered query.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, equation 3.
    """
    judged = answered(rankings)
    if not judged:
        return math.nan
    votes = [majority_vote(each, k) for each in judged]
    right = np.array([vote == each.label for vote, each in zip(votes, judged, strict=True)], dtype=float)
    shares = np.array([vote_shares(each, k).max() for each in judged])
    gaps = np.bincount(bins_of(shares), weights=right - shares, minlength=N_BINS)
    return float(np.abs(gaps).sum() / len(judged))


def bins_of(probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """The bin of each probability, from 0 to ``N_BINS`` - 1; 0 itself is in the first."""
    return np.maximum(np.ceil(probabilities * N_BINS).astype(np.int64) - 1, 0)
