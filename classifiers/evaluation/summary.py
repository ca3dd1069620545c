"""Predictions in numbers: every measure with its interval, chance beside it, and whether it is a result."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.intervals import N_RESAMPLES, Interval, drawn_groups
from cbir.evaluation.summary import Estimate, verdict
from classifiers.evaluation.judged import Judged
from classifiers.measures import (
    CLASS_MEASURES,
    LOWER_IS_BETTER,
    MEASURES,
    NO_VERDICT,
    ORDINAL,
    Draws,
    Measure,
)
from classifiers.measures.chance import CHANCES, CLASS_CHANCES, Chance, majority_posteriors
from classifiers.measures.titles import TITLES

LEVEL = 0.95
_MAX_CELLS = 1 << 22


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class against the rest.

    Args:
        label: its name.
        n_images: of the class.
        measures: by name in ``CLASS_MEASURES``; NaN where they do not apply.
    """

    label: str
    n_images: int
    measures: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Summary:
    """The numbers of a table.

    Args:
        n_images: judged.
        n_groups: of them.
        majority: their most frequent class.
        measures: by name in ``MEASURES``.
        classes: a row a class.
    """

    n_images: int
    n_groups: int
    majority: str
    measures: Mapping[str, Estimate]
    classes: tuple[ClassRow, ...]

    @property
    def verdicts(self) -> tuple[str, ...]:
        """A sentence for every measure with a baseline that it does not beat: it is no result."""
        return tuple(
            sentence
            for name, estimate in self.measures.items()
            if (sentence := verdict(TITLES[name], estimate))
        )


def measures_of(judged: Judged) -> dict[str, Measure]:
    """The measures of ``MEASURES`` that apply to the classes, by name."""
    return {name: each for name, each in MEASURES.items() if judged.has_grades or name not in ORDINAL}


def summarise(judged: Judged, *, n_resamples: int = N_RESAMPLES, seed: int = 0) -> Summary:
    """Measure predictions.

    Args:
        judged: images with labels.
        n_resamples: bootstrap samples of groups, for the intervals.
        seed: of their draws.
    """
    whole = measures_of(judged)
    wanted = {**whole, **CLASS_MEASURES}
    chances = {**CHANCES, **CLASS_CHANCES}
    found = _measured(judged, wanted, chances, np.ones((1, len(judged.labels))))
    drawn: dict[str, list[_Values]] = {name: [] for name in wanted}
    for weights in resampled(judged.groups, n_resamples, seed):
        for name, values in _measured(judged, wanted, chances, weights).items():
            drawn[name].append(values)
    estimates = {name: _estimates(name, found[name], drawn[name]) for name in wanted}
    return Summary(
        n_images=len(judged.labels),
        n_groups=judged.n_groups,
        majority=judged.classes[int(np.argmax(judged.counts))],
        measures={name: estimates[name][0] for name in whole},
        classes=tuple(
            ClassRow(
                label, int(judged.counts[code]), {name: estimates[name][code] for name in CLASS_MEASURES}
            )
            for code, label in enumerate(judged.classes)
        ),
    )


def resampled(groups: NDArray[np.int64], n_resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Bootstrap samples of groups, as weights of images: (n, n_images) at a time; none of one group.

    Args:
        groups: (n_images,), codes from 0.
        n_resamples: in all.
        seed: of the draws.
    """
    n_groups = int(groups.max()) + 1
    if n_groups > 1:
        for drawn in drawn_groups(n_groups, n_resamples, seed):
            for part in in_parts(drawn, len(groups)):
                yield part[:, groups]


def in_parts(rows: NDArray[np.float64], width: int) -> Iterator[NDArray[np.float64]]:
    """Rows, as many at a time as keep memory bounded when each becomes ``width`` wide."""
    step = max(1, _MAX_CELLS // width)
    return (rows[start : start + step] for start in range(0, len(rows), step))


def interval_of(values: NDArray[np.float64]) -> Interval | None:
    """The middle 95 % of a bootstrap's values; None without one. A draw without a value is left out."""
    there = values[~np.isnan(values)]
    if not len(there):
        return None
    low, high = np.quantile(there, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high), LEVEL)


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    """Of one measure, each (n_draws, n): n is 1, or the number of classes. None without such a baseline."""

    value: NDArray[np.float64]
    random: NDArray[np.float64] | None
    majority: NDArray[np.float64] | None


def _measured(
    judged: Judged,
    measures: Mapping[str, Measure],
    chances: Mapping[str, Chance],
    weights: NDArray[np.float64],
) -> dict[str, _Values]:
    counts = judged.counts
    always = np.broadcast_to(majority_posteriors(counts), judged.posteriors.shape)
    draws = Draws(judged.labels, judged.posteriors, weights)
    constant = Draws(judged.labels, always, weights)
    shares = counts / counts.sum()
    measured = {}
    for name, measure in measures.items():
        value = _wide(measure(draws))
        if name in chances:
            random = _wide(chances[name](draws.counts, shares))
            measured[name] = _Values(value, random, _wide(measure(constant)))
        else:
            measured[name] = _Values(value, None, None)
    return measured


def _wide(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values.reshape(len(values), -1)


def _estimates(name: str, found: _Values, drawn: list[_Values]) -> list[Estimate]:
    def joined(pick: str) -> NDArray[np.float64]:
        parts = [getattr(each, pick) for each in drawn]
        return np.concatenate(parts) if parts else np.zeros((0, found.value.shape[1]))

    values = joined("value")
    chance = {kind: joined(kind) for kind in ("random", "majority") if getattr(found, kind) is not None}
    sign = -1.0 if name in LOWER_IS_BETTER else 1.0
    estimates = []
    for column, value in enumerate(found.value[0].tolist()):
        numbers = {kind: float(getattr(found, kind)[0, column]) for kind in chance}
        unbeaten = tuple(
            kind
            for kind, each in chance.items()
            if name not in NO_VERDICT and not _lies_above_0(sign * (values - each)[:, column])
        )
        interval = interval_of(values[:, column])
        estimates.append(Estimate(value, interval, numbers.get("random"), numbers.get("majority"), unbeaten))
    return estimates


def _lies_above_0(gains: NDArray[np.float64]) -> bool:
    gain = interval_of(gains)
    return gain is not None and not math.isnan(gain.low) and gain.low > 0
