"""Everything a report says, as one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.report.confusion import Confusion
from cbir.evaluation.report.map2d import Map, map_of_vectors
from classifiers.evaluation.curves import (
    Bin,
    Decision,
    Distribution,
    Roc,
    decision_curve,
    distribution_of,
    reliability_of,
    roc_of,
)
from classifiers.evaluation.evaluate import Evaluation
from classifiers.evaluation.judged import Judged
from classifiers.measures import Draws
from classifiers.report.provenance import Provenance


@dataclass(frozen=True, slots=True, eq=False)
class OfClass:
    """What is drawn of one class against the rest.

    Args:
        label: its name.
        n_images: of the class.
        roc: by every threshold.
        decision: net benefit of acting on it.
        distribution: how probable it was said to be.
    """

    label: str
    n_images: int
    roc: Roc
    decision: Decision
    distribution: Distribution


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """The parts of the page.

    Args:
        provenance: where the numbers come from.
        evaluation: the numbers.
        confusion: answers by label, as shares, and the images' own shares.
        counts: (n_classes, n_classes), the same as images.
        reliability: how often answers of each probability are right.
        classes: those that some of the images have.
        positive: the class that one would act on; None for each.
        map: the network's features on a plane; None where there are none to show.
    """

    provenance: Provenance
    evaluation: Evaluation
    confusion: Confusion
    counts: NDArray[np.int64]
    reliability: tuple[Bin, ...]
    classes: tuple[OfClass, ...]
    positive: str | None
    map: Map | None


def report_of(
    evaluation: Evaluation,
    provenance: Provenance,
    *,
    positive: str | None = None,
    features: NDArray[np.float32] | None = None,
) -> Report:
    """Make every part of a report.

    Args:
        evaluation: what was measured.
        provenance: where the numbers come from.
        positive: the class that one would act on; None for each.
        features: (n_images, dim), of the images judged, for a map; rows that are not finite are left out of
            it. None for no map.
    """
    judged = evaluation.judged
    counts = Draws.once(judged.labels, judged.posteriors).confusion[0]
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.full(counts.shape, np.nan)
    np.divide(counts, totals, out=shares, where=totals > 0)
    return Report(
        provenance=provenance,
        evaluation=evaluation,
        confusion=Confusion(judged.classes, shares, judged.counts / judged.counts.sum()),
        counts=counts.astype(np.int64),
        reliability=reliability_of(judged.posteriors, judged.labels),
        classes=tuple(_of_class(judged, code) for code in np.flatnonzero(judged.counts).tolist()),
        positive=positive,
        map=None if features is None else _map(judged, features, evaluation.seed),
    )


def _of_class(judged: Judged, code: int) -> OfClass:
    probabilities, positive = judged.posteriors[:, code], judged.labels == code
    return OfClass(
        judged.classes[code],
        int(positive.sum()),
        roc_of(probabilities, positive),
        decision_curve(probabilities, positive),
        distribution_of(probabilities, positive),
    )


def _map(judged: Judged, features: NDArray[np.float32], seed: int) -> Map | None:
    known = np.flatnonzero(np.isfinite(features).all(axis=1))
    paths = [judged.predictions.paths[row] for row in known.tolist()]
    row_of = dict(zip(paths, known.tolist(), strict=True))

    def vectors(drawn: Sequence[str]) -> NDArray[np.float32]:
        return features[[row_of[path] for path in drawn]]

    return map_of_vectors(paths, judged.labels[known], vectors, seed=seed)
