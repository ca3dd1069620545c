"""How sure a mean is: a bootstrap over groups, the macro mean recomputed each time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

N_RESAMPLES = 2000
_MAX_CELLS = 1 << 22

Mean = Literal["macro", "micro"]
Method = Literal["percentile", "bca"]


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the mean lies, as far as these groups tell."""

    low: float
    high: float
    level: float = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Values of a study's queries, with the class and the group of each.

    Args:
        values: (n_queries,); NaN where the measure does not apply: such queries are left out.
        labels: (n_queries,), codes from 0.
        groups: (n_queries,), codes from 0; queries of a group are drawn together.
    """

    values: NDArray[np.float64]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]

    def mean(self, kind: Mean) -> float:
        """The mean of the means of the classes that have queries (macro), or of all queries; NaN of none."""
        sums, counts = self.totals(kind)
        return float(_means(sums.sum(axis=0), counts.sum(axis=0)))

    def totals(self, kind: Mean) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Sums of values and counts of queries: (n_groups, n_classes), of one class for micro.

        Groups and classes without a query that counts are left out.
        """
        counted = ~np.isnan(self.values)
        groups, rows = np.unique(self.groups[counted], return_inverse=True)
        labels = self.labels[counted] if kind == "macro" else np.zeros(int(counted.sum()), dtype=np.int64)
        classes, columns = np.unique(labels, return_inverse=True)
        shape = len(groups), len(classes)
        cells = np.ravel_multi_index((rows, columns), shape) if len(rows) else rows
        n_cells = shape[0] * shape[1]
        sums = np.bincount(cells, weights=self.values[counted], minlength=n_cells)
        counts = np.bincount(cells, minlength=n_cells)
        return sums.astype(np.float64).reshape(shape), counts.astype(np.float64).reshape(shape)


def group_bootstrap(
    sample: Sample,
    kind: Mean = "macro",
    *,
    method: Method = "percentile",
    n_resamples: int = N_RESAMPLES,
    level: float = 0.95,
    seed: int = 0,
) -> Interval | None:
    """The interval of a mean, by drawing groups with replacement; None with fewer than two groups.

    As ``group_bootstraps``, for one mean.
    """
    jobs = [(sample, kind)]
    return group_bootstraps(jobs, method=method, n_resamples=n_resamples, level=level, seed=seed)[0]


def group_bootstraps(
    jobs: Sequence[tuple[Sample, Mean]],
    *,
    method: Method = "percentile",
    n_resamples: int = N_RESAMPLES,
    level: float = 0.95,
    seed: int = 0,
) -> list[Interval | None]:
    """The intervals of many means, of draws that samples with as many groups share.

    A draw that misses a class takes the macro mean over the classes it has.

    Args:
        jobs: what was measured, and of which mean the interval is wanted.
        method: percentile (Efron 1979), or bias-corrected and accelerated (Efron 1987; Efron and Tibshirani
            1993, chapter 14), the acceleration by leaving out one group at a time.
        n_resamples: draws.
        level: of confidence, between 0 and 1.
        seed: of the draws.
    """
    totals = [sample.totals(kind) for sample, kind in jobs]
    means: dict[int, list[NDArray[np.float64]]] = {number: [] for number in range(len(jobs))}
    for n_groups in {len(sums) for sums, _ in totals} - {0, 1}:  # one group does not vary
        alike = [number for number, (sums, _) in enumerate(totals) if len(sums) == n_groups]
        for drawn in drawn_groups(n_groups, n_resamples, seed):
            for number in alike:
                sums, counts = totals[number]
                means[number].append(_means(drawn @ sums, drawn @ counts))
    return [
        _interval(np.concatenate(means[number]), *totals[number], method, level) if means[number] else None
        for number in range(len(jobs))
    ]


def drawn_groups(n_groups: int, n_resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each group is in a bootstrap sample, (n, n_groups) at a time, so that memory stays bounded.

    Args:
        n_groups: at least 1; as many are drawn for a sample, with replacement.
        n_resamples: how many samples, in all.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    step = max(1, _MAX_CELLS // n_groups)
    for start in range(0, n_resamples, step):
        n = min(step, n_resamples - start)
        drawn = rng.integers(n_groups, size=(n, n_groups)) + n_groups * np.arange(n)[:, np.newaxis]
        yield np.bincount(drawn.ravel(), minlength=n * n_groups).reshape(n, n_groups).astype(np.float64)


def _interval(
    means: NDArray[np.float64],
    sums: NDArray[np.float64],
    counts: NDArray[np.float64],
    method: Method,
    level: float,
) -> Interval:
    tails = (1 - level) / 2, (1 + level) / 2
    if method == "bca":
        tails = _corrected(tails, means, sums, counts)
    low, high = np.quantile(means, tails)
    return Interval(float(low), float(high), level)


def _means(sums: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., n_classes) to (...): the mean over the classes that have queries."""
    there = counts > 0
    per_class = np.divide(sums, counts, out=np.zeros_like(sums), where=there)
    n_classes = np.asarray(there.sum(axis=-1))
    means = np.full(n_classes.shape, np.nan)
    np.divide(per_class.sum(axis=-1), n_classes, out=means, where=n_classes > 0)
    return means


def _corrected(
    tails: tuple[float, float],
    means: NDArray[np.float64],
    sums: NDArray[np.float64],
    counts: NDArray[np.float64],
) -> tuple[float, float]:
    normal = NormalDist()
    estimate = _means(sums.sum(axis=0), counts.sum(axis=0))
    below = float((means < estimate).mean() + (means == estimate).mean() / 2)
    n = len(means)
    bias = normal.inv_cdf(min(max(below, 0.5 / n), 1 - 0.5 / n))
    left_out = _means(sums.sum(axis=0) - sums, counts.sum(axis=0) - counts)
    away = np.nanmean(left_out) - left_out[~np.isnan(left_out)]
    spread = float((away**2).sum()) ** 1.5
    acceleration = float((away**3).sum()) / (6 * spread) if spread else 0.0

    def corrected(tail: float) -> float:
        z = bias + normal.inv_cdf(tail)
        return normal.cdf(bias + z / (1 - acceleration * z))

    return corrected(tails[0]), corrected(tails[1])
