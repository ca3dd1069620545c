"""Whether a gallery's own luck could have made a number: labels dealt anew to the patients.

A bootstrap over those who ask takes the gallery as it is. Where a few items are neighbours of everybody, all
queries share the luck of those few; dealing the labels anew shows how far that luck goes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.pool import UNLABELLED, Pool
from cbir.evaluation.protocol import Study

N_DEALS = 1000
_MIN_GROUPS = 2
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Luck:
    """How likely a P@k as high comes of embeddings that know nothing of the labels: one-sided p."""

    macro: float
    micro: float


def luck(study: Study, *, n_deals: int = N_DEALS, seed: int = 0) -> Luck | None:
    """Deal the labels anew, and see how often P@k is as high.

    The labels of a group stay together and go to another group with as many labelled items; hits stay as they
    are. None where no two groups have as many.

    Args:
        study: what was asked and found.
        n_deals: how often labels are dealt.
        seed: of the deals.

    Source: whole-block exchangeability: Winkler et al., NeuroImage 2015.
    """
    blocks = _blocks(study.pool)
    if not blocks:
        return None
    rng = np.random.default_rng(seed)
    precision = _precision(study)
    dealt = np.append(study.pool.codes, UNLABELLED).astype(np.int32)
    hands = [dealt[block] for block in blocks]
    least = precision(dealt) - _ROUNDING
    n_as_high = np.zeros(2, dtype=np.int64)
    for _ in range(n_deals):
        for block, hand in zip(blocks, hands, strict=True):
            dealt[block] = hand[rng.permutation(len(hand))]
        n_as_high += precision(dealt) >= least
    macro, micro = (1 + n_as_high) / (1 + n_deals)
    return Luck(float(macro), float(micro))


def _blocks(pool: Pool) -> list[NDArray[np.int64]]:
    """Places of labelled items, (n_groups, n_items) for every n that several groups have."""
    by_group: defaultdict[tuple[str, str | int], list[int]] = defaultdict(list)
    for place, group in enumerate(pool.groups):
        if pool.codes[place] != UNLABELLED:
            by_group["item" if group is None else "group", place if group is None else group].append(place)
    by_size: defaultdict[int, list[Sequence[int]]] = defaultdict(list)
    for places in by_group.values():
        by_size[len(places)].append(places)
    return [np.array(groups) for groups in by_size.values() if len(groups) >= _MIN_GROUPS]


def _precision(study: Study) -> Callable[[NDArray[np.int32]], NDArray[np.float64]]:
    """A function from the gallery's codes, and that of no item, to macro and micro P@k."""
    hits = np.full((len(study.hits), study.k), study.pool.n_items)
    for row, places in zip(hits, study.hits, strict=True):
        row[: len(places)] = places
    by_rank = np.ascontiguousarray(hits.T)  # (k, n_queries): sums over ranks are sums of rows
    n_classes, own_labels = len(study.classes), study.labels
    asked = np.bincount(own_labels, minlength=n_classes) > 0
    is_item = study.own >= 0
    has_items = bool(is_item.any())

    def precision(codes: NDArray[np.int32]) -> NDArray[np.float64]:
        labels = np.where(is_item, codes[study.own], own_labels) if has_items else own_labels
        found = (codes[by_rank] == labels).sum(axis=0, dtype=np.int32)
        # A label that no query could ask for is in one group alone, wherever it was dealt.
        counts = np.bincount(labels, minlength=n_classes)[asked]
        sums = np.bincount(labels, found, n_classes)[asked] / study.k
        there = counts > 0
        return np.array([(sums[there] / counts[there]).mean(), sums.sum() / counts.sum()])

    return precision
