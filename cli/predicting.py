"""`--predict`: what the query of a command line is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from deploy.labelling.predicting import Look, Predicted
from deploy.labelling.predicting import predict as predict_query

if TYPE_CHECKING:
    from cbir.types import Query
    from cli.query_classifier import QueryClassifier
    from cli.question import Question
    from indexer.index import Index


def predict(
    index: Index, query: Query, question: Question, classifier: QueryClassifier | None = None
) -> Predicted:
    """Ask an index what a query is.

    Args:
        index: to be asked.
        query: what it is.
        question: that the query is of.
        classifier: that has looked at the query, if one has.

    Raises:
        UnlabelledError: no item has a label.
    """
    said = {
        "--roi": question.region,
        "--like": question.like,
        "--unlike": question.unlike,
        "--tta or --no-tta": question.tta is not None,
        "--where": question.where,
    }
    return predict_query(
        index,
        query,
        where=question.where,
        look=None if classifier is None else Look(classifier.there, classifier.posterior),
        beside=next((option for option, value in said.items() if value), ""),
        not_at=os.path.abspath(question.text or ""),  # noqa: PTH100 (names that are not UTF-8 stay)
    )
