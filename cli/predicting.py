"""What is it? The labels of an index's nearest items, asked as they were calibrated."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cbir.types import LabelPrediction, Query
from classifiers.labels import LabelCalibration, LabelModel, predict_label
from cli.labelling import kept_calibration, labelled_hits, labelling_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cli.asking import Question
    from cli.query_classifier import QueryClassifier
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


def classifier_asked(index: Index) -> str | None:
    """The name of the attached classifier whose posterior was calibrated with the vote; None for none."""
    made = kept_calibration(index)
    name = made.source.classifier if made is not None else None
    return name if name in index.attachments() else None


def predict(
    index: Index, query: Query, question: Question, classifier: QueryClassifier | None = None
) -> Predicted:
    """Ask an index what a query is: a search of its own, as those were that it was calibrated with.

    The plain search, without refinements, of as many hits as were calibrated; without the query's own patient
    where one is known, and without the file that asks.

    Args:
        index: to be asked.
        query: what it is.
        question: that the query is of.
        classifier: that has looked at the query, if one has.

    Raises:
        UsageProblem: no item has a label.
    """
    known = labelling_of(index)
    posterior = _posterior(index, known.by, classifier)
    by, note = known.by, known.note
    if isinstance(by, LabelCalibration) and (why := _not_calibrated(by, posterior, question)):
        by, note = by.model, why
    k, has_group = known.model.k, query.group is not None
    asked = os.path.abspath(question.text or "")  # noqa: PTH100 (names that are not UTF-8 stay)
    found = index.search(query, k + 1, exclude_same_group=has_group, where=question.where)
    hits = [hit for hit in found if hit.item.path != asked][:k]
    return Predicted(
        prediction=predict_label(by, labelled_hits(hits, known.column), posterior),
        column=known.column,
        k=k,
        risk=by.risk if isinstance(by, LabelCalibration) else None,
        note=note,
    )


def _posterior(
    index: Index, by: LabelCalibration | LabelModel, classifier: QueryClassifier | None
) -> NDArray[np.float64] | None:
    """What the classifier that was calibrated with the vote says of the query; None where that is unknown."""
    if classifier is None or isinstance(by, LabelModel) or by.source.classifier != classifier.there.name:
        return None
    from cli.labelling_classifier import order_of

    order = order_of(index, classifier.there, by.model.classes)
    found = classifier.posterior[order].astype(np.float64)
    return None if np.isnan(found).any() else found


def _not_calibrated(by: LabelCalibration, posterior: NDArray[np.float64] | None, question: Question) -> str:
    """What of a question was not calibrated; empty for nothing."""
    classifier = by.source.classifier
    if classifier is not None and posterior is None:
        return f"not calibrated for the vote alone: classifier {classifier} says nothing of the query"
    said = {
        "--roi": question.region,
        "--like": question.like,
        "--unlike": question.unlike,
        "--tta or --no-tta": question.tta is not None,
        "--where": question.where,
    }
    other = next((option for option, value in said.items() if value), None)
    return f"not calibrated for a search with {other}" if other else ""
