"""A run and its relevance judgements alone: numbers without an index."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cbir.errors import ItemsError
from cbir.evaluation.intervals import Interval, Sample, group_bootstraps
from cbir.evaluation.measures import MEASURES
from cbir.evaluation.ranking import Ranking
from cbir.evaluation.trec.read import Qrels, Run

JUDGED = ("precision", "hit", "recall", "average_precision", "ndcg", "reciprocal_rank", "r_precision")
"""Measures of ``MEASURES`` that take no labels, only what is relevant."""


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """One measure.

    Args:
        name: in ``MEASURES``.
        value: the mean over queries; NaN where no query has one.
        interval: over queries; None with fewer than two.
        n_queries: how many have a value.
    """

    name: str
    value: float
    interval: Interval | None
    n_queries: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A run's numbers.

    Args:
        k: the cut.
        rows: by name of the measure.
        n_queries: that were judged: something is relevant for them.
        n_missing: of these, not in the run; each counts 0.
        n_unanswerable: in the qrels, with nothing relevant; left out.
        n_unjudged: in the run, not in the qrels; left out.
        n_graded: judgements above 1, which count as 1.
    """

    k: int
    rows: Mapping[str, JudgedRow]
    n_queries: int
    n_missing: int
    n_unanswerable: int
    n_unjudged: int
    n_graded: int

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for each thing that a reader of the numbers must know."""
        notes = ["no groups are known: the intervals take the queries for independent, and may be too narrow"]
        if self.n_missing:
            notes.append(f"{self.n_missing} of {self.n_queries} queries are not in the run: each counts 0")
        if self.n_unanswerable:
            notes.append(f"{self.n_unanswerable} queries of the qrels have nothing relevant and are left out")
        if self.n_unjudged:
            notes.append(f"{self.n_unjudged} queries of the run are not in the qrels and are left out")
        if self.n_graded:
            notes.append(f"{self.n_graded} judgements are above 1: they count as 1, for nDCG, too")
        short = self.n_queries - self.rows["r_precision"].n_queries
        if short:
            notes.append(f"for {short} queries the run ends before R: they have no R-precision")
        return tuple(notes)


def judge(run: Run, qrels: Qrels, k: int, *, seed: int = 0) -> Judged:
    """Measure a run by relevance judgements: the micro mean over the queries of the qrels.

    A query that the run lacks counts 0, as with trec_eval's ``-c``; one with nothing relevant is left out,
    and so is one of the run that the qrels lack. An item without a judgement is not relevant. R-precision is
    over the queries whose list reaches R, where trec_eval takes the missing hits for not relevant.

    Args:
        run: by the query's id, best first.
        qrels: by the query's id and the item's.
        k: the cut, at least 1.
        seed: of the intervals' draws, a bootstrap over queries.

    Raises:
        ItemsError: no query of the qrels has something relevant, or the run has none of them.
        ValueError: ``k`` below 1.
    """
    if k < 1:
        raise ValueError(f"k is {k}; judge at least 1 hit.")
    relevant = {
        query: {item for item, relevance in items.items() if relevance > 0} for query, items in qrels.items()
    }
    answerable = [query for query, items in relevant.items() if items]
    found = [query for query in answerable if query in run]
    if not found:
        raise ItemsError(
            f"Of {len(qrels)} queries in the qrels {len(answerable)} have something relevant, and the run's "
            f"{len(run)} queries have none of them. Give a run and qrels of the same queries."
        )
    rankings = [_ranking(run.get(query, ()), relevant[query]) for query in answerable]
    values = {name: [_value(name, ranking, k) for ranking in rankings] for name in JUDGED}
    return Judged(
        k=k,
        rows=_rows(values, seed),
        n_queries=len(answerable),
        n_missing=len(answerable) - len(found),
        n_unanswerable=len(qrels) - len(answerable),
        n_unjudged=len(run.keys() - qrels.keys()),
        n_graded=sum(relevance > 1 for items in qrels.values() for relevance in items.values()),
    )


def _ranking(items: tuple[str, ...], relevant: set[str]) -> Ranking:
    relevance = np.fromiter((item in relevant for item in items), dtype=np.bool_, count=len(items))
    n_others = len(items) - int(relevance.sum())
    return Ranking.of_relevance(relevance, len(relevant), len(relevant) + n_others)


def _value(name: str, ranking: Ranking, k: int) -> float:
    return MEASURES[name](ranking, k) if ranking.n_hits else 0.0


def _rows(values: Mapping[str, list[float]], seed: int) -> dict[str, JudgedRow]:
    samples = {}
    for name, each in values.items():
        numbers = np.arange(len(each))
        samples[name] = Sample(np.array(each), np.zeros_like(numbers), numbers)
    intervals = group_bootstraps([(sample, "micro") for sample in samples.values()], seed=seed)
    return {
        name: JudgedRow(name, sample.mean("micro"), interval, int((~np.isnan(sample.values)).sum()))
        for (name, sample), interval in zip(samples.items(), intervals, strict=True)
    }
