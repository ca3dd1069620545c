"""How much each branch of a fused extractor should count, learned from labelled images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import SpecError
from cbir.extractors.fitting.neighbours import SoftNeighbours

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MAX_ROWS = 1500
"""Of more, whole groups are drawn: time and memory grow with the square."""

_BOUNDS = np.log(0.01), np.log(1000.0)
_START = np.log(10.0)
_LONE = 2.0


@dataclass(frozen=True, slots=True)
class LearnedWeights:
    """What each branch counts, and what that gains.

    Args:
        weights: one a branch, positive, of sum 1: the score is the sum of the branches' cosines times these.
        likelihood: the macro mean, over the rows, of the log probability that a near row of another group has
            the label; at most 0.
        equal_likelihood: the same with equal weights, at their own best sharpness.
        sharpness: by which the score is multiplied before the exponential: the higher, the fewer rows count
            as near.
        n_rows: that it was learned from.
    """

    weights: tuple[float, ...]
    likelihood: float
    equal_likelihood: float
    sharpness: float
    n_rows: int

    @property
    def for_l2(self) -> tuple[float, ...]:
        """The weights that give the same scores under the fusion ``l2``."""
        return tuple(weight**0.5 for weight in self.weights)


def learn_fusion_weights(
    branches: Sequence[NDArray[np.float32]],
    labels: Sequence[str],
    groups: Sequence[str | None],
    *,
    max_rows: int = MAX_ROWS,
    seed: int = 0,
) -> LearnedWeights:
    """Weigh the branches so that near rows of other groups have the same label.

    P@k is a step function of the weights, with no slope to follow. Maximised in its place is the likelihood
    of soft neighbours: row j is a neighbour of row i with a probability proportional to
    exp(Σ_b u_b · cos_b(i, j)), rows of i's group left out; p_i is the probability that a neighbour has i's
    label; the mean of log p_i is taken within each label, then over the labels. The u are the weights times
    the sharpness. Before anything is seen, log u is taken to lie around one value for all branches, with a
    standard deviation of 1, and each group counts as one observation: few groups leave the weights near
    equal, and none is ever 0. It starts from equal weights and from each branch.

    Args:
        branches: one (n, dim of the branch) array a branch, unit rows, or zero where a branch says nothing.
        labels: one a row.
        groups: one a row; None is a group of its own.
        max_rows: of more, whole groups are drawn.
        seed: of that draw.

    Raises:
        SpecError: fewer than two branches, or no two groups that share a label while others have another.

    Source: the soft neighbours are those of Goldberger et al., Neighbourhood components analysis, NIPS 2004.
    """
    if len(branches) < 2:  # noqa: PLR2004
        raise SpecError(f"There are weights to learn for two branches or more, not for {len(branches)}.")
    rows = _drawn(groups, max_rows, seed)
    near = SoftNeighbours.of(
        [branch[rows] for branch in branches],
        [labels[row] for row in rows],
        [groups[row] for row in rows],
    )
    n = len(branches)
    equal, equal_value = _best(near, [np.array([_START])], np.ones((n, 1)))
    starts = [equal, *(equal + _LONE * (np.eye(n)[each] - 1 / n) for each in range(n))]
    found, value = _best(near, starts, np.eye(n))
    shares = np.exp(found) / np.exp(found).sum()
    weights = tuple(round(float(share), 6) for share in shares)
    return LearnedWeights(weights, value, equal_value, float(np.exp(found).sum()), len(rows))


def _drawn(groups: Sequence[str | None], max_rows: int, seed: int) -> list[int]:
    """Rows of whole groups, in their order, at most ``max_rows``."""
    if len(groups) <= max_rows:
        return list(range(len(groups)))
    members: dict[tuple[str | None, int], list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault((group, -1) if group is not None else (None, row), []).append(row)
    order = np.random.default_rng(seed).permutation(len(members))
    listed = list(members.values())
    rows: list[int] = []
    for each in order:
        if len(rows) + len(listed[each]) <= max_rows:
            rows += listed[each]
    return sorted(rows)


def _best(
    near: SoftNeighbours, starts: Sequence[NDArray[np.float64]], spread: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """The most probable log u, and its likelihood.

    Args:
        near: what is known.
        starts: of what is free.
        spread: (n_branches, n_free), from there to log u.
    """
    from scipy.optimize import minimize

    def loss(free: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logs = spread @ free
        value, slope = near.likelihood(np.exp(logs))
        away = logs - logs.mean()
        prior = float(away @ away) / (2 * near.n_groups)
        return prior - value, spread.T @ (away / near.n_groups - slope * np.exp(logs))

    bounds = [_BOUNDS] * spread.shape[1]
    results = [minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds) for start in starts]
    best = min(results, key=lambda result: float(result.fun))
    logs: NDArray[np.float64] = spread @ np.asarray(best.x, dtype=np.float64)
    return logs, near.likelihood(np.exp(logs))[0]
