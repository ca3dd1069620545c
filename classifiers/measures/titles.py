"""What measures are called in print."""

from __future__ import annotations

TITLES = {
    "accuracy": "accuracy",
    "precision": "precision",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "f1": "F1",
    "auc": "AUC",
    "macro_precision": "macro precision",
    "macro_sensitivity": "macro sensitivity",
    "macro_specificity": "macro specificity",
    "macro_f1": "macro F1",
    "macro_auc": "macro AUC",
    "mcc": "MCC",
    "quadratic_kappa": "QWK",
    "adjacent_errors": "errors by one grade",
    "far_errors": "errors by two or more",
    "ece": "ECE",
    "brier": "Brier",
    "log_loss": "log loss",
}
"""By the measure's name."""
