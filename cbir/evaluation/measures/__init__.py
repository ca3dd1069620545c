"""What a ranking is worth: one idea a file, each with its definition and source.

A measure of ``MEASURES`` judges one query, and a study's number is the mean over its queries; one of
``STUDY_MEASURES`` judges all queries together. NaN says that a measure does not apply, never 0.
"""

from collections.abc import Callable, Mapping, Sequence

from cbir.evaluation.measures.average_precision import average_precision
from cbir.evaluation.measures.brier import brier
from cbir.evaluation.measures.ece import ece
from cbir.evaluation.measures.grade_distance import far_share, grade_distance
from cbir.evaluation.measures.hit import hit
from cbir.evaluation.measures.kappa import quadratic_kappa
from cbir.evaluation.measures.knn_auc import knn_auc
from cbir.evaluation.measures.map_at_r import map_at_r
from cbir.evaluation.measures.ndcg import graded_ndcg, ndcg
from cbir.evaluation.measures.precision import precision
from cbir.evaluation.measures.r_precision import r_precision
from cbir.evaluation.measures.recall import recall
from cbir.evaluation.measures.reciprocal_rank import reciprocal_rank
from cbir.evaluation.measures.vote_accuracy import vote_accuracy
from cbir.evaluation.measures.whole_average_precision import whole_average_precision
from cbir.evaluation.ranking import Ranking

__all__ = [
    "LOWER_IS_BETTER",
    "MEASURES",
    "OF_WHOLE_LISTS",
    "ORDINAL",
    "STUDY_MEASURES",
    "Measure",
    "StudyMeasure",
    "average_precision",
    "brier",
    "ece",
    "far_share",
    "grade_distance",
    "graded_ndcg",
    "hit",
    "knn_auc",
    "map_at_r",
    "ndcg",
    "precision",
    "quadratic_kappa",
    "r_precision",
    "recall",
    "reciprocal_rank",
    "vote_accuracy",
    "whole_average_precision",
]

Measure = Callable[[Ranking, int], float]
StudyMeasure = Callable[[Sequence[Ranking], int], float]

MEASURES: Mapping[str, Measure] = {
    "precision": precision,
    "hit": hit,
    "recall": recall,
    "r_precision": r_precision,
    "average_precision": average_precision,
    "map_at_r": map_at_r,
    "ndcg": ndcg,
    "graded_ndcg": graded_ndcg,
    "reciprocal_rank": reciprocal_rank,
    "vote_accuracy": vote_accuracy,
    "grade_distance": grade_distance,
    "far_share": far_share,
    "brier": brier,
    "whole_average_precision": whole_average_precision,
}
"""By name; each judges one query."""

STUDY_MEASURES: Mapping[str, StudyMeasure] = {
    "quadratic_kappa": quadratic_kappa,
    "knn_auc": knn_auc,
    "ece": ece,
}
"""By name; each judges all queries of a study."""

ORDINAL = frozenset({"graded_ndcg", "grade_distance", "far_share", "quadratic_kappa"})
"""Measures that make sense only where labels have an order."""

OF_WHOLE_LISTS = ("r_precision", "map_at_r", "whole_average_precision")
"""Measures of ``MEASURES`` that need more than k hits: all of them, or as many as are relevant."""

LOWER_IS_BETTER = frozenset({"grade_distance", "far_share", "brier", "ece"})
"""Measures of error."""
