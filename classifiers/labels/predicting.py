"""What a query is, by its hits: a label, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cbir.types import Hit, LabelPrediction
from classifiers.calibration import label_set
from classifiers.labels.calibrated import LabelCalibration
from classifiers.labels.model import LabelModel
from classifiers.vote import Ballots


def predict_label(
    by: LabelCalibration | LabelModel, hits: Sequence[Hit], posterior: NDArray[np.float64] | None = None
) -> LabelPrediction:
    """Name the label of a query.

    Args:
        by: what was calibrated; a model alone answers always, and its probabilities are not calibrated.
        hits: the model's k, best first, found as those were that it was calibrated with: without the query's
            own patient.
        posterior: (n_classes,), of the attached classifier for the query, in the order of the classes; None
            where there is none.
    """
    model = by.model if isinstance(by, LabelCalibration) else by
    given = None if posterior is None else posterior[np.newaxis]
    found = model.probabilities(Ballots.of([hits], model.classes), given)[0]
    order = np.argsort(-found, kind="stable").tolist()
    candidate = model.classes[order[0]]
    voters = [hit for hit in hits if hit.item.label in model.classes]
    why = _why_not(by, float(found[order[0]]), n_voters=len(voters), n_hits=len(hits))
    chosen = label_set(found, by.set_cutoff) if isinstance(by, LabelCalibration) else order[:1]
    return LabelPrediction(
        label=None if why else candidate,
        probabilities={model.classes[code]: float(found[code]) for code in order},
        support=tuple(hit for hit in voters if hit.item.label == candidate),
        against=tuple(hit for hit in voters if hit.item.label != candidate),
        n_unlabelled=len(hits) - len(voters),
        label_set=tuple(model.classes[code] for code in chosen),
        is_calibrated=isinstance(by, LabelCalibration),
        why=why,
    )


def _why_not(by: LabelCalibration | LabelModel, probability: float, *, n_voters: int, n_hits: int) -> str:
    if not n_voters:
        return f"none of the {n_hits} hits has a label"
    if isinstance(by, LabelModel):
        return ""
    if by.threshold is None:
        return f"no probability was found from which on at most {by.risk:.0%} of answers are wrong"
    if probability < by.threshold:
        promise = f"from where on at most {by.risk:.0%} of answers are wrong"
        return f"{probability:.2f} is below {by.threshold:.2f}, {promise}"
    return ""
