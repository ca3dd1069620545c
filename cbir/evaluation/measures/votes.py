"""The label shares of a query's first hits: what the nearest neighbours vote for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.ranking import Ranking


def vote_shares(ranking: Ranking, k: int) -> NDArray[np.float64]:
    """(n_classes,), the share of each label among the first ``k`` hits; NaN where there is no hit."""
    hits = ranking.first(k)
    counts = np.bincount(hits, minlength=len(ranking.eligible))
    return counts / len(hits) if len(hits) else np.full(len(counts), np.nan)


def majority_vote(ranking: Ranking, k: int) -> int | None:
    """The label that most of the first ``k`` hits have; None without a hit.

    Ties: of the labels with equal votes, the one whose best hit ranks first.
    """
    hits = ranking.first(k)
    if not len(hits):
        return None
    counts = np.bincount(hits, minlength=len(ranking.eligible))
    return int(hits[np.argmax(counts[hits])])


def answered(rankings: Sequence[Ranking]) -> list[Ranking]:
    """Those with at least one hit: without one there is no vote to judge."""
    return [ranking for ranking in rankings if ranking.n_hits]
