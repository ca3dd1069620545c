"""What is it? The labels of an index's nearest items, asked as they were calibrated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cbir.types import LabelPrediction, Query
from classifiers.labels import LabelCalibration, LabelModel, predict_label
from deploy.labelling.labels import kept_calibration, labelled_hits, labelling_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.items.where import Condition
    from classifiers.attached import AttachedClassifier
    from indexer.index import Index


@dataclass(frozen=True, slots=True)
class Predicted:
    """A prediction with what a reader must know of it.

    Args:
        prediction: the label, or none.
        column: that holds the label.
        k: how many hits were asked for theirs.
        risk: how often an answer may be wrong; None where nothing is calibrated.
        note: why nothing is calibrated, and what to do; empty where it is.
    """

    prediction: LabelPrediction
    column: str
    k: int
    risk: float | None
    note: str


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What an attached classifier says of a query.

    Args:
        there: the classifier.
        posterior: (n_classes,), in the order of its classes; of NaN where it says nothing.
    """

    there: AttachedClassifier
    posterior: NDArray[np.float32]


def classifier_asked(index: Index) -> str | None:
    """The name of the attached classifier whose posterior was calibrated with the vote; None for none."""
    made = kept_calibration(index)
    name = made.source.classifier if made is not None else None
    return name if name in index.attachments() else None


def predict(
    index: Index,
    query: Query,
    *,
    where: Condition | None = None,
    look: Look | None = None,
    beside: str = "",
    not_at: str = "",
) -> Predicted:
    """Ask an index what a query is: a search of its own, as those were that it was calibrated with.

    The plain search, without refinements, of as many hits as were calibrated; without the query's own patient
    where one is known, and without the file that asks.

    Args:
        index: to be asked.
        query: what it is.
        where: holds for the items that may vote.
        look: of the classifier at the query, where one has looked.
        beside: what was asked for that no calibration knows, in words; empty for nothing.
        not_at: the path of the file that asks; empty for none.

    Raises:
        UnlabelledError: no item has a label.
    """
    known = labelling_of(index)
    posterior = _posterior(index, known.by, look)
    by, note = known.by, known.note
    if isinstance(by, LabelCalibration) and (why := _not_calibrated(by, posterior, beside)):
        by, note = by.model, why
    k, has_group = known.model.k, query.group is not None
    found = index.search(query, k + 1, exclude_same_group=has_group, where=where)
    hits = [hit for hit in found if hit.item.path != not_at][:k]
    return Predicted(
        prediction=predict_label(by, labelled_hits(hits, known.column), posterior),
        column=known.column,
        k=k,
        risk=by.risk if isinstance(by, LabelCalibration) else None,
        note=note,
    )


def _posterior(
    index: Index, by: LabelCalibration | LabelModel, look: Look | None
) -> NDArray[np.float64] | None:
    """What the classifier that was calibrated with the vote says of the query; None where that is unknown."""
    if look is None or isinstance(by, LabelModel) or by.source.classifier != look.there.name:
        return None
    from deploy.labelling.posteriors import order_of

    order = order_of(index, look.there, by.model.classes)
    found = look.posterior[order].astype(np.float64)
    return None if np.isnan(found).any() else found


def _not_calibrated(by: LabelCalibration, posterior: NDArray[np.float64] | None, beside: str) -> str:
    """What of a question was not calibrated; empty for nothing."""
    classifier = by.source.classifier
    if classifier is not None and posterior is None:
        return f"not calibrated for the vote alone: classifier {classifier} says nothing of the query"
    return f"not calibrated for a search with {beside}" if beside else ""
