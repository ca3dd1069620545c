"""A study in numbers: every measure with its intervals, chance beside it, and whether it is a result."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.baselines import BASELINES, majority_label
from cbir.evaluation.intervals import Interval, Mean, Method, Sample, group_bootstraps
from cbir.evaluation.luck import luck
from cbir.evaluation.measures import LOWER_IS_BETTER, MEASURES, OF_WHOLE_LISTS, ORDINAL, STUDY_MEASURES
from cbir.evaluation.protocol import Study
from cbir.evaluation.titles import title

SHOWN = (
    *("precision", "ndcg", "graded_ndcg", "vote_accuracy", "grade_distance", "far_share"),
    *("hit", "recall", "average_precision", "reciprocal_rank", "brier"),
)
"""Measures of ``MEASURES`` that a list cut at k is enough for."""

_KINDS: tuple[Mean, ...] = ("macro", "micro")
_CHANCES = ("random", "majority")
_MAX_LUCK = 0.025
"""As strict, to one side, as an interval of 95 %."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """One mean of one measure.

    Args:
        value: NaN where no query has a value.
        interval: over groups; None with fewer than two.
        random: what comes out at random; None for a measure without a baseline.
        majority: what always answering the gallery's most frequent label brings; likewise None.
        unbeaten: those of "random" and "majority" that the value does not beat: the interval of the paired
            difference reaches 0, or there is none; random also where luck alone could bring as much.
        luck: of P@k, how likely embeddings that know nothing of the labels bring as much; else None.
    """

    value: float
    interval: Interval | None
    random: float | None = None
    majority: float | None = None
    unbeaten: tuple[str, ...] = ()
    luck: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One measure.

    Args:
        name: in ``MEASURES``.
        macro: the mean of the means of the classes that have queries.
        micro: the mean over all queries.
        per_class: (n_classes,), NaN where a class has no query.
        n_queries: how many queries have a value.
    """

    name: str
    macro: Estimate
    micro: Estimate
    per_class: tuple[float, ...]
    n_queries: int


@dataclass(frozen=True, slots=True)
class Leak:
    """Macro P@k with the query's group left out, and with it in the gallery."""

    without_group: float
    with_group: float

    @property
    def delta(self) -> float:
        """What a protocol that forgets the group would have gained."""
        return self.with_group - self.without_group


@dataclass(frozen=True, slots=True)
class Summary:
    """The numbers of a study.

    Args:
        k: the cut.
        n_groups: of the queries.
        n_queries: (n_classes,), queries by class.
        majority: the gallery's most frequent label.
        rows: by name of the measure.
        together: values of ``STUDY_MEASURES``, by name.
        leak: what leaving the group out costs.
    """

    k: int
    n_groups: int
    n_queries: tuple[int, ...]
    majority: str
    rows: Mapping[str, Row]
    together: Mapping[str, float]
    leak: Leak

    @property
    def verdicts(self) -> tuple[str, ...]:
        """A sentence for every mean with a baseline that it does not beat: it is no result."""
        return tuple(
            sentence
            for row in self.rows.values()
            for kind, estimate in (("macro", row.macro), ("micro", row.micro))
            if (sentence := verdict(f"{kind} {title(row.name, self.k)}", estimate))
        )


def verdict(what: str, estimate: Estimate) -> str | None:
    """A sentence where ``what`` does not beat its baselines; else None."""
    if not estimate.unbeaten or math.isnan(estimate.value):
        return None
    means = {"random": estimate.random, "majority": estimate.majority}
    names = {"random": "random", "majority": "the constant majority"}
    beaten = " or ".join(f"{names[each]} ({means[each]:.4f})" for each in estimate.unbeaten)
    where = "" if estimate.interval else "; with one group there is no interval"
    return f"no result: {what} {estimate.value:.4f} does not beat {beaten}{where}"


def values_of(study: Study, name: str) -> NDArray[np.float64]:
    """(n_queries,), a measure of ``MEASURES`` for each query."""
    return np.array([MEASURES[name](ranking, study.k) for ranking in study.rankings])


def summarise(
    study: Study,
    names: Sequence[str] = SHOWN,
    *,
    method: Method = "percentile",
    seed: int = 0,
    whole: Study | None = None,
) -> Summary:
    """Measure a study; those for grades are left out where labels have no order.

    Args:
        study: what was asked and found.
        names: in ``MEASURES``.
        method: of the intervals.
        seed: of their draws.
        whole: the same study with whole lists, for the measures that need them; None leaves those out.

    Raises:
        ValueError: ``whole`` asks other queries.
    """
    if whole and whole.query_ids != study.query_ids:
        raise ValueError(f"The studies ask {len(study.query_ids)} and {len(whole.query_ids)} queries.")
    applied = [name for name in names if study.is_ordinal or name not in ORDINAL]
    precision = MEASURES["precision"]
    leaking = study.sample([precision(ranking, study.k) for ranking in study.leaking])
    return Summary(
        k=study.k,
        n_groups=len(np.unique(study.groups)),
        n_queries=tuple(np.bincount(study.labels, minlength=len(study.classes)).tolist()),
        majority=study.classes[majority_label(study.gallery)],
        rows=_rows(study, applied, method, seed, whole),
        together={
            name: measure(study.rankings, study.k)
            for name, measure in STUDY_MEASURES.items()
            if study.is_ordinal or name not in ORDINAL
        },
        leak=Leak(study.sample(values_of(study, "precision")).mean("macro"), leaking.mean("macro")),
    )


def _rows(
    study: Study, names: Sequence[str], method: Method, seed: int, whole: Study | None
) -> dict[str, Row]:
    samples = {name: study.sample(values_of(study, name)) for name in names}
    if whole:
        samples |= {name: study.sample(values_of(whole, name)) for name in OF_WHOLE_LISTS}
    chances = {
        (name, chance): study.sample(expected)
        for name in names
        for chance, expected in _chances(study, name).items()
    }
    # Every interval of one study is made of the same draws.
    jobs: dict[tuple[str, str, Mean], Sample] = {}
    for kind in _KINDS:
        jobs |= {(name, "", kind): sample for name, sample in samples.items()}
        jobs |= {(*key, kind): _gain(key[0], samples[key[0]], chance) for key, chance in chances.items()}
    wanted = [(sample, key[2]) for key, sample in jobs.items()]
    intervals = dict(zip(jobs, group_bootstraps(wanted, method=method, seed=seed), strict=True))

    dealt = luck(study, seed=seed) if "precision" in names else None

    def estimate(name: str, kind: Mean) -> Estimate:
        value, interval = samples[name].mean(kind), intervals[name, "", kind]
        if name not in BASELINES:
            return Estimate(value, interval)
        p_luck = getattr(dealt, kind) if dealt and name == "precision" else None
        unbeaten = _unbeaten({chance: intervals[name, chance, kind] for chance in _CHANCES}, p_luck)
        random, majority = (chances[name, chance].mean(kind) for chance in _CHANCES)
        return Estimate(value, interval, random, majority, unbeaten, p_luck)

    return {
        name: Row(
            name,
            estimate(name, "macro"),
            estimate(name, "micro"),
            _per_class(sample, len(study.classes)),
            int((~np.isnan(sample.values)).sum()),
        )
        for name, sample in samples.items()
    }


def _chances(study: Study, name: str) -> dict[str, list[float]]:
    if name not in BASELINES:
        return {}
    baselines, majority = BASELINES[name], majority_label(study.gallery)
    return {
        "random": [baselines.random(each, study.k) for each in study.rankings],
        "majority": [baselines.majority(each, study.k, majority) for each in study.rankings],
    }


def _unbeaten(gains: Mapping[str, Interval | None], p_luck: float | None) -> tuple[str, ...]:
    unbeaten = {chance for chance, gain in gains.items() if gain is None or not gain.low > 0}
    if p_luck is not None and p_luck > _MAX_LUCK:
        unbeaten.add("random")
    return tuple(chance for chance in gains if chance in unbeaten)


def _gain(name: str, sample: Sample, chance: Sample) -> Sample:
    gain = sample.values - chance.values
    return replace(sample, values=-gain if name in LOWER_IS_BETTER else gain)


def _per_class(sample: Sample, n_classes: int) -> tuple[float, ...]:
    return tuple(
        replace(sample, values=np.where(sample.labels == code, sample.values, np.nan)).mean("micro")
        for code in range(n_classes)
    )
