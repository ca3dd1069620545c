"""Macro P@k for every k up to the study's, with its band and chance beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cbir.evaluation.intervals import Interval, group_bootstraps
from cbir.evaluation.protocol import Study


@dataclass(frozen=True, slots=True)
class Curve:
    """At place i: k = i + 1.

    Args:
        values: macro P@k.
        intervals: over groups, all of the same draws; None with fewer than two groups.
        random: what comes out at random, exactly.
    """

    values: tuple[float, ...]
    intervals: tuple[Interval | None, ...]
    random: tuple[float, ...]


def curve_of(study: Study, *, seed: int = 0) -> Curve:
    """Measure a study at every k.

    Args:
        study: what was asked and found.
        seed: of the draws; the band at the study's own k is the interval of ``summarise`` with this seed.
    """
    cuts = np.arange(1, study.k + 1)
    found = np.zeros((len(study.rankings), study.k), dtype=np.int64)
    for row, ranking in zip(found, study.rankings, strict=True):
        row[: ranking.n_hits] = ranking.relevance
    precisions = np.cumsum(found, axis=1) / cuts
    n_relevant = np.array([[ranking.n_relevant] for ranking in study.rankings])
    n_eligible = np.array([[ranking.n_eligible] for ranking in study.rankings])
    chances = n_relevant / np.maximum(n_eligible, cuts)
    samples = [study.sample(column) for column in precisions.T]
    return Curve(
        values=tuple(sample.mean("macro") for sample in samples),
        intervals=tuple(group_bootstraps([(sample, "macro") for sample in samples], seed=seed)),
        random=tuple(study.sample(column).mean("macro") for column in chances.T),
    )
