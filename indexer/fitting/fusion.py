"""Fusion weights learned on an index, and whether they are better than equal ones."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import SpecError
from cbir.evaluation.pairing import Paired, compare_studies
from cbir.evaluation.protocol import rank_queries
from cbir.extractors.fitting.branches import branch_rows
from cbir.extractors.fitting.fusion_weights import LearnedWeights, learn_fusion_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbir.evaluation.protocol import Search, Study
    from cbir.extractors.spec import ExtractorSpec
    from indexer.fitting.rows import FittingRows

_N_FOLDS = 5
_SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class FittedWeights:
    """Weights of all the rows, and what such weights gain where they were not learned.

    Args:
        learned: of all the rows.
        paired: macro P@k, learned against equal weights: each query is ranked with weights that were learned
            without its fifth of the groups.
        spread: (n_folds, n_branches), those weights.
    """

    learned: LearnedWeights
    paired: Paired
    spread: tuple[tuple[float, ...], ...]

    @property
    def is_better(self) -> bool:
        """Whether the learned weights beat equal ones by the paired test."""
        test = self.paired.comparison
        return test.difference > 0 and test.p_value < _SIGNIFICANT


def fit_weights(spec: ExtractorSpec, rows: FittingRows, *, k: int = 10, seed: int = 0) -> FittedWeights:
    """Learn how much each branch counts, and compare with equal weights on the same rows.

    Args:
        spec: of the index that the rows come from.
        rows: of a validation split, with labels.
        k: of the P@k that is compared.
        seed: of draws.

    Raises:
        ItemsError: no query could be answered.
        SpecError: one branch alone, images in parts, or labels and groups that nothing can be learned from.
    """
    if rows.n_items < len(rows.items):
        raise SpecError(
            f"Extractor {spec.name!r} gave {rows.n_items} images {len(rows.items)} vectors, and weights are "
            "learned from one each. Leave out its tiles, build, learn, and put the weights in its page."
        )
    branches = branch_rows(spec, rows.vectors)
    learned = learn_fusion_weights(branches, rows.labels, rows.groups, seed=seed)
    fold = np.array([_fold(item.group or item.id, seed) for item in rows.items])
    spread = []
    for number in range(_N_FOLDS):
        kept = np.flatnonzero(fold != number)
        spread.append(
            _learned_on(kept, branches, rows, seed).weights if len(kept) < len(fold) else learned.weights
        )
    equal = np.full((len(fold), len(branches)), 1 / len(branches))
    first, second = (_study(rows, branches, weights, k) for weights in (np.array(spread)[fold], equal))
    return FittedWeights(learned, compare_studies(first, second, seed=seed), tuple(spread))


def _learned_on(
    kept: NDArray[np.int64], branches: Sequence[NDArray[np.float32]], rows: FittingRows, seed: int
) -> LearnedWeights:
    labels, groups = rows.labels, rows.groups
    return learn_fusion_weights(
        [branch[kept] for branch in branches],
        [labels[each] for each in kept],
        [groups[each] for each in kept],
        seed=seed,
    )


def _fold(group: str, seed: int) -> int:
    digest = hashlib.sha256(b"%d\0" % seed + group.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8]) % _N_FOLDS


def _study(
    rows: FittingRows, branches: Sequence[NDArray[np.float32]], weights: NDArray[np.float64], k: int
) -> Study:
    """Everybody asks, each with weights of their own; the group is left out."""
    return rank_queries(rows.items, _searching(rows, branches, weights), k)


def _searching(
    rows: FittingRows, branches: Sequence[NDArray[np.float32]], weights: NDArray[np.float64]
) -> Search:
    place = {item.id: number for number, item in enumerate(rows.items)}
    ids = [item.id for item in rows.items]

    def search(query_ids: Sequence[str], depth: int) -> list[list[str]]:
        asked = [place[each] for each in query_ids]
        scores = sum(
            weights[asked, number, None] * (branch[asked] @ branch.T)
            for number, branch in enumerate(branches)
        )
        # Items are by id, so that a stable sort orders equal scores by id.
        order = np.argsort(-np.asarray(scores), axis=1, kind="stable")[:, :depth]
        return [[ids[each] for each in found] for found in order]

    return search
