"""Whether one system is better than another on the same queries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.intervals import Interval, Mean, Method, Sample, group_bootstrap

N_PERMUTATIONS = 10_000
ROUNDING = 1e-12
"""Differences that are equal but for the order of their sums."""

_MAX_CELLS = 1 << 22


@dataclass(frozen=True, slots=True)
class Comparison:
    """A paired difference: how much, how sure, and how likely by chance.

    Args:
        difference: mean of the first minus mean of the second.
        interval: of the difference; None with fewer than two groups.
        p_value: two-sided, of a sign-flip permutation over groups; not corrected.
    """

    difference: float
    interval: Interval | None
    p_value: float


def compare(
    sample: Sample,
    other: NDArray[np.float64],
    kind: Mean = "macro",
    *,
    method: Method = "percentile",
    n_permutations: int = N_PERMUTATIONS,
    seed: int = 0,
) -> Comparison:
    """Compare two systems on the same queries, paired.

    Under the null hypothesis the two are exchangeable within a group: the signs of all differences of a group
    flip together (Pitman 1937; for retrieval Smucker, Allan, Carterette, CIKM 2007). With few groups every
    flip is tried, and p is exact.

    Args:
        sample: of the first system.
        other: (n_queries,), of the second; a query that is NaN in either is left out of both.
        kind: of the mean.
        method: of the interval.
        n_permutations: flips drawn where not all are tried.
        seed: of the draws.

    Raises:
        ValueError: the two have different numbers of queries.
    """
    if sample.values.shape != other.shape:
        raise ValueError(f"{len(sample.values)} queries against {len(other)}: compare on the same queries.")
    paired = replace(sample, values=sample.values - other)
    p_value = _sign_flip(paired, kind, n_permutations, seed)
    return Comparison(paired.mean(kind), group_bootstrap(paired, kind, method=method, seed=seed), p_value)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for their number, step-down.

    Source: Holm, A simple sequentially rejective multiple test procedure, 1979.
    """
    corrected = [0.0] * len(p_values)
    reached = 0.0
    for place, number in enumerate(sorted(range(len(p_values)), key=lambda each: p_values[each])):
        reached = max(reached, min(1.0, (len(p_values) - place) * p_values[number]))
        corrected[number] = reached
    return corrected


def sign_flip_p(
    n_groups: int,
    is_extreme: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
    *,
    n_permutations: int = N_PERMUTATIONS,
    seed: int = 0,
) -> float:
    """The share of sign flips over groups that are as extreme as what was found; of few groups all are tried.

    Args:
        n_groups: 1 is answered for none.
        is_extreme: (n, n_groups) signs, 1 or -1, to whether each flip is.
        n_permutations: flips drawn where not all are tried.
        seed: of the draws.
    """
    if not n_groups:
        return 1.0
    if n_groups < n_permutations.bit_length():
        places = np.arange(1 << n_groups)[:, np.newaxis] >> np.arange(n_groups)
        return float(is_extreme(_signs(places & 1)).mean())
    rng = np.random.default_rng(seed)
    step = max(1, _MAX_CELLS // n_groups)
    n_extreme = 0
    for start in range(0, n_permutations, step):
        shape = min(step, n_permutations - start), n_groups
        n_extreme += int(is_extreme(_signs(rng.integers(2, size=shape))).sum())
    return (1 + n_extreme) / (1 + n_permutations)


def _signs(bits: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(1 - 2 * bits, dtype=np.float64)


def _sign_flip(paired: Sample, kind: Mean, n_permutations: int, seed: int) -> float:
    sums, counts = paired.totals(kind)
    # The mean is linear in the differences: one number a group is all that flips.
    parts = (sums / counts.sum(axis=0)).mean(axis=1) if len(sums) else np.zeros(0)
    least = abs(parts.sum()) - ROUNDING
    return sign_flip_p(
        len(parts),
        lambda signs: np.abs(signs @ parts) >= least,
        n_permutations=n_permutations,
        seed=seed,
    )
