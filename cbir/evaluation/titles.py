"""What measures are called in print."""

from __future__ import annotations


def title(name: str, k: int) -> str:
    """What a measure is called in print."""
    return _TITLES[name].format(k=k)


_TITLES = {
    "precision": "P@{k}",
    "hit": "Hit@{k}",
    "recall": "R@{k}",
    "r_precision": "R-precision",
    "average_precision": "AP@{k}",
    "map_at_r": "MAP@R",
    "whole_average_precision": "MAP",
    "ndcg": "nDCG@{k}",
    "graded_ndcg": "graded nDCG@{k}",
    "reciprocal_rank": "MRR@{k}",
    "vote_accuracy": "majority vote@{k}",
    "grade_distance": "|Δgrade|@{k}",
    "far_share": "|Δgrade| ≥ 2@{k}",
    "brier": "Brier@{k}",
    "quadratic_kappa": "QWK@{k}",
    "knn_auc": "kNN AUC@{k}",
    "ece": "ECE@{k}",
}
