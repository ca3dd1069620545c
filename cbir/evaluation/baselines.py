"""What a number is worth: what comes out at random, and what always answering one label brings.

``BASELINES`` has, per measure, the exact expectation for each query. Its gallery is the one that was eligible
for it: leaving its group out is in the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.measures.ndcg import discounts
from cbir.evaluation.ranking import Ranking

Chance = Callable[[Ranking, int], float]
Constant = Callable[[Ranking, int, int], float]


@dataclass(frozen=True, slots=True)
class Baselines:
    """Of one measure.

    Args:
        random: (ranking, k) to the expectation over every order of the eligible items.
        majority: (ranking, k, majority label) to the value of hits that all have that label.
    """

    random: Chance
    majority: Constant


def random_precision(queries: Sequence[int], gallery: Sequence[int]) -> float:
    """E[P@k] for any k of a random order: Σ_c p_c · R_c / N.

    Args:
        queries: how many have each label.
        gallery: how many items have each label, the same for every query.

    Raises:
        ValueError: no query or an empty gallery.
    """
    asked, there = np.asarray(queries, dtype=np.float64), np.asarray(gallery, dtype=np.float64)
    if not asked.sum() or not there.sum():
        raise ValueError(
            f"{asked.sum():g} queries over {there.sum():g} items: there is no chance to speak of."
        )
    return float(asked @ there / asked.sum() / there.sum())


def majority_precision(queries: Sequence[int], gallery: Sequence[int]) -> float:
    """P@k of always answering the gallery's most frequent label: the share of queries that have it."""
    return queries[majority_label(np.asarray(gallery))] / sum(queries)


def majority_label(counts: NDArray[np.int64]) -> int:
    """The most frequent label's code; of several the first."""
    return int(np.argmax(counts))


def _share(ranking: Ranking, k: int) -> float:
    # The expectation of a share among k hits: P@k divides by k also where fewer are eligible.
    return ranking.n_relevant / max(ranking.n_eligible, k)


def _vote(ranking: Ranking, k: int) -> float:
    # A label drawn by the shares of the gallery, whatever k.
    del k
    return ranking.n_relevant / ranking.n_eligible


def _is_label(ranking: Ranking, k: int, majority: int) -> float:
    del k
    return float(ranking.label == majority)


def _random_ndcg(ranking: Ranking, k: int) -> float:
    weights = discounts(k)
    found, best = weights[: ranking.n_eligible].sum(), weights[: ranking.n_relevant].sum()
    return float(found / best) * ranking.n_relevant / ranking.n_eligible


def _random_distance(ranking: Ranking, k: int) -> float:
    del k
    distances = np.abs(np.arange(len(ranking.eligible)) - ranking.label)
    return float(distances @ ranking.eligible) / ranking.n_eligible


def _majority_distance(ranking: Ranking, k: int, majority: int) -> float:
    del k
    return float(abs(ranking.label - majority))


BASELINES: Mapping[str, Baselines] = {
    "precision": Baselines(_share, _is_label),
    "ndcg": Baselines(_random_ndcg, _is_label),
    "vote_accuracy": Baselines(_vote, _is_label),
    "grade_distance": Baselines(_random_distance, _majority_distance),
}
"""By the measure's name."""
