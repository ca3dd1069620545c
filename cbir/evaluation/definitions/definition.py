"""A set of measures as somebody else defines them, and a study measured by it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cbir.evaluation.intervals import Interval, Mean, Sample, group_bootstraps
from cbir.evaluation.measures import MEASURES, Measure
from cbir.evaluation.protocol import Study
from cbir.evaluation.ranking import Ranking


@dataclass(frozen=True, slots=True)
class DefinedMeasure:
    """One measure of a definition.

    Args:
        value: judges one query.
        ours: the measure of ``MEASURES`` that goes by the same idea.
        means: which means its authors take.
        at: a cut of its own; None for the study's k.
    """

    value: Measure
    ours: str
    means: tuple[Mean, ...] = ("micro",)
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """What a library or a paper means.

    Args:
        name: in ``DEFINITIONS``.
        title: whose it is.
        source: where it was read: repository, path and commit, and the paper.
        differs: a sentence for each thing that differs from our own.
        measures: by the name that its authors print, ``@k`` standing for the cut.
    """

    name: str
    title: str
    source: str
    differs: tuple[str, ...]
    measures: Mapping[str, DefinedMeasure]


@dataclass(frozen=True, slots=True)
class DefinedRow:
    """One mean of one measure.

    Args:
        name: as its authors print it, at the cut.
        mean: macro or micro.
        value: with each query's group left out, as ever; NaN where the study's lists end before the cut.
        interval: over groups; None with fewer than two.
        with_group: the same with only the query itself left out, as its authors would.
        ours: the measure of ours that goes by the same idea, with the group left out.
        n_queries: how many have a value.
    """

    name: str
    mean: Mean
    value: float
    interval: Interval | None
    with_group: float
    ours: float
    n_queries: int


def by_definition(study: Study, definition: Definition, *, seed: int = 0) -> tuple[DefinedRow, ...]:
    """Measure a study as a definition says; the protocol stays ours, but for ``DefinedRow.with_group``.

    Args:
        study: what was asked and found.
        definition: of ``DEFINITIONS``.
        seed: of the intervals' draws.
    """
    samples = {
        name: _sample(study, study.rankings, measure.value, measure.at)
        for name, measure in definition.measures.items()
    }
    jobs = [(name, mean) for name, measure in definition.measures.items() for mean in measure.means]
    intervals = group_bootstraps([(samples[name], mean) for name, mean in jobs], seed=seed)
    rows = []
    for (name, mean), interval in zip(jobs, intervals, strict=True):
        measure = definition.measures[name]
        rows.append(
            DefinedRow(
                name=name.replace("@k", f"@{study.k}"),
                mean=mean,
                value=samples[name].mean(mean),
                interval=interval,
                with_group=_sample(study, study.leaking, measure.value, measure.at).mean(mean),
                ours=_sample(study, study.rankings, MEASURES[measure.ours], measure.at).mean(mean),
                n_queries=int((~np.isnan(samples[name].values)).sum()),
            )
        )
    return tuple(rows)


def _sample(study: Study, rankings: Sequence[Ranking], measure: Measure, at: int | None) -> Sample:
    cut = at or study.k
    return study.sample([measure(each, cut) if cut <= study.k else math.nan for each in rankings])
