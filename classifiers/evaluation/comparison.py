"""Whether one classifier is better than another on the same images; one classifier over training seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cbir.errors import ItemsError
from cbir.evaluation.comparison import N_PERMUTATIONS, ROUNDING, Comparison, sign_flip_p
from cbir.evaluation.intervals import N_RESAMPLES
from cbir.evaluation.seeds import Spread, spread_of
from classifiers.evaluation.judged import Judged, judge
from classifiers.evaluation.summary import in_parts, interval_of, measures_of, resampled
from classifiers.measures import Draws, Measure

COMPARED = ("accuracy", "macro_f1", "macro_auc", "mcc", "quadratic_kappa", "brier")
"""Measures of ``MEASURES`` that two classifiers are compared by."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Two classifiers on the images that both tables have.

    Args:
        values: by measure: of the first, of the second, and the difference.
        n_images: that both judge.
        n_left_out: that only one of the two does.
    """

    values: Mapping[str, tuple[float, float, Comparison]]
    n_images: int
    n_left_out: int


def compare(
    judged: Judged,
    other: Judged,
    *,
    names: Sequence[str] = COMPARED,
    n_resamples: int = N_RESAMPLES,
    n_permutations: int = N_PERMUTATIONS,
    seed: int = 0,
) -> Paired:
    """Compare two classifiers on the images they share, by path.

    Under the null hypothesis the two are exchangeable within a group: the answers to all images of a group
    change places together, and the measure is made anew. Of means this is the sign flip of
    ``cbir.evaluation.comparison``.

    Args:
        judged: the first.
        other: the second; its groups are not looked at.
        names: in ``MEASURES``; those that do not apply are left out.
        n_resamples: of the intervals.
        n_permutations: drawn where not all are tried.
        seed: of every draw.

    Raises:
        ItemsError: they share no image, know other classes, or give an image different labels.

    Source: Yeh, More accurate tests for the statistical significance of result differences, COLING 2000.
    """
    first, second = _shared(judged, other)
    measures = {name: each for name, each in measures_of(judged).items() if name in names}
    n = len(first.labels)
    values = {}
    for name, measure in measures.items():
        value, there = _value(measure, first), _value(measure, second)
        drawn = [
            measure(_draws(first, weights)) - measure(_draws(second, weights))
            for weights in resampled(first.groups, n_resamples, seed)
        ]
        extreme = partial(_is_extreme, measure, first, second, abs(value - there) - ROUNDING)
        p_value = sign_flip_p(first.n_groups, extreme, n_permutations=n_permutations, seed=seed)
        interval = interval_of(np.concatenate(drawn)) if drawn else None
        values[name] = value, there, Comparison(value - there, interval, p_value)
    return Paired(values, n, len(judged.labels) + len(other.labels) - 2 * n)


def spread_over_seeds(judged: Sequence[Judged]) -> Mapping[str, Spread]:
    """The spread of every measure over tables of the same images that differ in the training's seed alone.

    Raises:
        ItemsError: the tables judge other images, or know other classes: then more than the seed differs.
    """
    asked = {(each.classes, frozenset(each.predictions.paths)) for each in judged}
    if len(asked) != 1:
        sizes = ", ".join(f"{len(each.labels)} images of {len(each.classes)} classes" for each in judged)
        raise ItemsError(
            f"The seeds' tables judge different images or classes ({sizes}). Predict the same images by each."
        )
    spreads = {}
    for name, measure in measures_of(judged[0]).items():
        values = [_value(measure, each) for each in judged]
        if not np.isnan(values).any():
            spreads[name] = spread_of(values)
    return spreads


def _value(measure: Measure, judged: Judged) -> float:
    return float(measure(Draws.once(judged.labels, judged.posteriors))[0])


def _draws(judged: Judged, weights: NDArray[np.float64]) -> Draws:
    return Draws(judged.labels, judged.posteriors, weights)


def _is_extreme(
    measure: Measure, first: Judged, second: Judged, least: float, signs: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether the difference is as large when the answers to the groups with sign -1 change places.

    Args:
        measure: of both.
        first: judges the same images as ``second``, in the same order.
        second: likewise.
        least: the difference to reach.
        signs: (n, n_groups).
    """
    labels = np.concatenate([first.labels, second.labels])
    posteriors = np.concatenate([first.posteriors, second.posteriors])
    found = []
    for part in in_parts(signs, len(labels)):
        stay = (part[:, first.groups] > 0).astype(np.float64)
        ones = Draws(labels, posteriors, np.concatenate([stay, 1 - stay], axis=1))
        others = Draws(labels, posteriors, np.concatenate([1 - stay, stay], axis=1))
        found.append(np.abs(measure(ones) - measure(others)) >= least)
    return np.concatenate(found)


def _shared(judged: Judged, other: Judged) -> tuple[Judged, Judged]:
    mine, theirs = judged.predictions, other.predictions
    if mine.classes != theirs.classes:
        raise ItemsError(
            f"One table has the classes {', '.join(mine.classes)}, the other {', '.join(theirs.classes)}: "
            "compare classifiers of the same classes, in the same order."
        )
    place = {path: row for row, path in enumerate(theirs.paths)}
    shared = [row for row, path in enumerate(mine.paths) if path in place]
    if not shared:
        raise ItemsError(
            f"The {len(mine.paths)} and {len(theirs.paths)} images have none in common: compare "
            "predictions of the same files."
        )
    rows = [place[mine.paths[row]] for row in shared]
    differing = int((judged.labels[shared] != other.labels[rows]).sum())
    if differing:
        raise ItemsError(f"{differing} of {len(shared)} shared images have another label there.")
    name = "The shared images"
    return judge(mine.only(shared), name), judge(theirs.only(rows), name)
