"""Two galleries, the same queries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cbir.errors import ItemsError
from cbir.evaluation.comparison import Comparison, compare
from cbir.evaluation.intervals import Mean, Method
from cbir.evaluation.protocol import Study
from cbir.evaluation.summary import values_of


@dataclass(frozen=True, slots=True)
class Paired:
    """A comparison on the queries that two studies share.

    Args:
        comparison: first minus second.
        value: of the first, on the shared queries.
        other: of the second, on the same.
        n_queries: shared.
        n_left_out: queries that only one of the two could answer.
    """

    comparison: Comparison
    value: float
    other: float
    n_queries: int
    n_left_out: int


def compare_studies(
    study: Study,
    other: Study,
    name: str = "precision",
    kind: Mean = "macro",
    *,
    method: Method = "percentile",
    seed: int = 0,
) -> Paired:
    """Compare two studies on the queries they share, by item id.

    Raises:
        ItemsError: they share none, cut at another k, or give a query different labels.
    """
    if study.k != other.k:
        raise ItemsError(f"One study has k = {study.k}, the other {other.k}: compare at the same k.")
    places = {query_id: place for place, query_id in enumerate(other.query_ids)}
    shared = [place for place, query_id in enumerate(study.query_ids) if query_id in places]
    if not shared:
        raise ItemsError(
            f"The {len(study.query_ids)} and {len(other.query_ids)} queries have none in common: compare "
            "indexes of the same files."
        )
    there = [places[study.query_ids[place]] for place in shared]
    differing = sum(
        study.classes[study.rankings[mine].label] != other.classes[other.rankings[theirs].label]
        for mine, theirs in zip(shared, there, strict=True)
    )
    if differing:
        raise ItemsError(f"{differing} of {len(shared)} shared queries have another label there.")
    values, others = values_of(study, name), _at(values_of(other, name), there, shared, len(study.query_ids))
    sample = study.sample(np.where(np.isnan(others), np.nan, values))
    rest = study.sample(np.where(np.isnan(values), np.nan, others))
    return Paired(
        compare(sample, others, kind, method=method, seed=seed),
        sample.mean(kind),
        rest.mean(kind),
        len(shared),
        len(study.query_ids) + len(other.query_ids) - 2 * len(shared),
    )


def _at(values: NDArray[np.float64], source: list[int], target: list[int], n: int) -> NDArray[np.float64]:
    placed = np.full(n, np.nan)
    placed[target] = values[source]
    return placed
