"""One system trained with several seeds: how far its numbers spread, apart from how sure each of them is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cbir.errors import ItemsError
from cbir.evaluation.measures import ORDINAL
from cbir.evaluation.protocol import Study
from cbir.evaluation.summary import SHOWN, values_of


@dataclass(frozen=True, slots=True)
class Spread:
    """A measure's macro means, one a seed.

    The spread over seeds says what another training would bring; the interval over patients, what other
    patients would. Neither holds the other.

    Args:
        values: (n_seeds,), in the order of the studies.
        mean: of them.
        sd: their standard deviation, with n - 1; NaN for one seed.
    """

    values: tuple[float, ...]
    mean: float
    sd: float


def spread_over_seeds(studies: Sequence[Study]) -> Mapping[str, Spread]:
    """The spread of every measure over studies that differ in the training's seed alone; by measure.

    Measures that do not apply to the labels, or have no value in one of the studies, are left out.

    Raises:
        ItemsError: the studies ask other queries, other labels, or at another k: then more than the seed
            differs.
    """
    asked = {(study.k, study.classes, frozenset(study.query_ids)) for study in studies}
    if len(asked) != 1:
        sizes = ", ".join(f"{len(study.query_ids)} queries at k = {study.k}" for study in studies)
        raise ItemsError(
            f"The seeds' indexes ask different queries or labels ({sizes}). Build them of the same files."
        )
    spreads = {}
    for name in SHOWN:
        if name in ORDINAL and not studies[0].is_ordinal:
            continue
        values = [study.sample(values_of(study, name)).mean("macro") for study in studies]
        if not np.isnan(values).any():
            spreads[name] = spread_of(values)
    return spreads


def spread_of(values: Sequence[float]) -> Spread:
    """Of a measure's values, one a seed."""
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")
    return Spread(tuple(values), float(np.mean(values)), sd)
