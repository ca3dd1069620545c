"""What a measure is worth: what comes of answers drawn by prevalence, whatever the image shows.

Exact expectations, for the counts of each draw. Of Brier and log loss it is what comes of the prevalences
themselves as every image's posterior: who knows no more can do no better. The calibration error has no
such number: a constant answer is well calibrated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from classifiers.measures.grades import distances
from classifiers.measures.log_loss import LEAST
from classifiers.measures.macro import mean_over_classes

_MAX_DEVIATIONS = 9

Chance = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]


def majority_posteriors(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(n_classes,), certain of the most frequent class; of several the first."""
    certain = np.zeros(len(counts))
    certain[np.argmax(counts)] = 1.0
    return certain


def _precision(counts: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    totals = counts.sum(axis=1, keepdims=True)
    given = 1 - (1 - shares) ** totals  # how likely anybody is given the class; else precision is 0
    return np.asarray(counts / totals * given, dtype=np.float64)


def _sensitivity(counts: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.where(counts > 0, shares, np.nan), dtype=np.float64)


def _specificity(counts: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(counts < counts.sum(axis=1, keepdims=True), 1 - shares, np.nan)


def _f1(counts: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of n images m are given the class, m binomial; of these m · count / n are right in the mean."""
    totals = counts.sum(axis=1, keepdims=True)
    values = np.full(counts.shape, np.nan)
    for code, share in enumerate(shares.tolist()):
        if 0 < share < 1:
            given, likely = _binomial(totals, share)
            count = counts[:, [code]]
            right = given * count / totals
            values[:, code] = (likely * 2 * right / np.maximum(given + count, 1)).sum(axis=1)
    return values


def _binomial(n: NDArray[np.float64], share: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Numbers and how likely each is, (n_draws, n_numbers); those beyond nine deviations are left out.

    Args:
        n: (n_draws, 1), trials.
        share: of successes, between 0 and 1.
    """
    from scipy.special import gammaln, xlog1py, xlogy

    reach = np.ceil(_MAX_DEVIATIONS * np.sqrt(n.max() * share * (1 - share))) + 1
    numbers = np.round(n * share) + np.arange(-reach, reach + 1)
    there = (numbers >= 0) & (numbers <= n)
    numbers = np.where(there, numbers, 0.0)
    ways = gammaln(n + 1) - gammaln(numbers + 1) - gammaln(n - numbers + 1)
    likely = np.exp(ways + xlogy(numbers, share) + xlog1py(n - numbers, -share))
    return numbers, np.where(there, likely, 0.0)


def _auc(counts: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    del shares
    totals = counts.sum(axis=1, keepdims=True)
    return np.where((counts > 0) & (counts < totals), 0.5, np.nan)


def _macro(chance: Chance) -> Chance:
    def mean(counts: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
        return mean_over_classes(chance(counts, shares), counts)

    return mean


def _of_cells(counted: Callable[[NDArray[np.int64]], NDArray[np.bool_]]) -> Chance:
    """The share of images whose answer lies at a distance in grades that counts."""

    def share(counts: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(counts @ (counted(distances(len(shares))) @ shares) / counts.sum(axis=1))

    return share


def _none(counts: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """An agreement beyond chance: 0, whatever the counts of labels and answers."""
    del shares
    return np.zeros(len(counts))


def _brier(counts: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(counts @ (1 - 2 * shares) / counts.sum(axis=1) + (shares**2).sum())


def _log_loss(counts: NDArray[np.float64], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(-(counts @ np.log(np.clip(shares, LEAST, 1))) / counts.sum(axis=1))


CLASS_CHANCES: Mapping[str, Chance] = {
    "precision": _precision,
    "sensitivity": _sensitivity,
    "specificity": _specificity,
    "f1": _f1,
    "auc": _auc,
}
"""By the name in ``CLASS_MEASURES``: counts (n_draws, n_classes), prevalences (n_classes,) to values."""

CHANCES: Mapping[str, Chance] = {
    "accuracy": _of_cells(lambda distance: distance == 0),
    **{f"macro_{name}": _macro(chance) for name, chance in CLASS_CHANCES.items()},
    "mcc": _none,
    "quadratic_kappa": _none,
    "adjacent_errors": _of_cells(lambda distance: distance == 1),
    "far_errors": _of_cells(lambda distance: distance > 1),
    "brier": _brier,
    "log_loss": _log_loss,
}
"""By the name in ``MEASURES``: counts (n_draws, n_classes), prevalences (n_classes,) to (n_draws,)."""
