"""P@k of each class, with its interval and chance beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cbir.evaluation.baselines import BASELINES
from cbir.evaluation.intervals import Interval, Sample, group_bootstraps
from cbir.evaluation.protocol import Study
from cbir.evaluation.summary import values_of


@dataclass(frozen=True, slots=True)
class ClassBar:
    """One class.

    Args:
        label: its name.
        n_queries: of the class.
        n_gallery: labelled items of the class.
        value: mean P@k of its queries; NaN without any.
        interval: over the groups that have such queries; None with fewer than two.
        random: what comes out at random; NaN without queries.
    """

    label: str
    n_queries: int
    n_gallery: int
    value: float
    interval: Interval | None
    random: float


def class_bars(study: Study, *, seed: int = 0) -> tuple[ClassBar, ...]:
    """A bar for every class of the study, in their order.

    Args:
        study: what was asked and found.
        seed: of the draws.
    """
    values, labels = values_of(study, "precision"), study.labels
    chance = BASELINES["precision"].random
    chances = np.array([chance(ranking, study.k) for ranking in study.rankings])
    order = np.argsort(labels, kind="stable")
    codes = np.arange(len(study.classes))
    rows_of = np.split(order, np.searchsorted(labels[order], codes[1:]))
    samples = [Sample(values[rows], labels[rows], study.groups[rows]) for rows in rows_of]
    intervals = group_bootstraps([(sample, "micro") for sample in samples], seed=seed)
    return tuple(
        ClassBar(
            label=label,
            n_queries=len(rows_of[code]),
            n_gallery=int(study.gallery[code]),
            value=samples[code].mean("micro"),
            interval=intervals[code],
            random=float(chances[rows_of[code]].mean()) if len(rows_of[code]) else math.nan,
        )
        for code, label in enumerate(study.classes)
    )
