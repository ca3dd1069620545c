"""Measures of a classifier's posteriors, one idea a file. A name is a line in a dict."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from classifiers.measures.accuracy import accuracy
from classifiers.measures.auc import auc
from classifiers.measures.brier import brier
from classifiers.measures.draws import Draws
from classifiers.measures.ece import ece
from classifiers.measures.f1 import f1
from classifiers.measures.grades import adjacent_errors, far_errors
from classifiers.measures.kappa import quadratic_kappa
from classifiers.measures.log_loss import log_loss
from classifiers.measures.macro import macro
from classifiers.measures.mcc import mcc
from classifiers.measures.precision import precision
from classifiers.measures.sensitivity import sensitivity
from classifiers.measures.specificity import specificity

__all__ = [
    "CLASS_MEASURES",
    "LOWER_IS_BETTER",
    "MEASURES",
    "NO_VERDICT",
    "ORDINAL",
    "SIX",
    "Draws",
    "Measure",
    "accuracy",
    "adjacent_errors",
    "auc",
    "brier",
    "ece",
    "f1",
    "far_errors",
    "log_loss",
    "mcc",
    "precision",
    "quadratic_kappa",
    "sensitivity",
    "specificity",
]

Measure = Callable[[Draws], NDArray[np.float64]]

CLASS_MEASURES: Mapping[str, Measure] = {
    "precision": precision,
    "sensitivity": sensitivity,
    "specificity": specificity,
    "f1": f1,
    "auc": auc,
}
"""By name; of each class against the rest: (n_draws, n_classes)."""

MEASURES: Mapping[str, Measure] = {
    "accuracy": accuracy,
    **{f"macro_{name}": macro(measure) for name, measure in CLASS_MEASURES.items()},
    "mcc": mcc,
    "quadratic_kappa": quadratic_kappa,
    "adjacent_errors": adjacent_errors,
    "far_errors": far_errors,
    "ece": ece,
    "brier": brier,
    "log_loss": log_loss,
}
"""By name; of all classes together: (n_draws,)."""

SIX = ("accuracy", "macro_f1", "macro_auc", "mcc", "macro_sensitivity", "macro_specificity")
"""What a radar chart shows: each is 1 at its best."""

ORDINAL = frozenset({"quadratic_kappa", "adjacent_errors", "far_errors"})
"""Measures that make sense only where classes have an order."""

LOWER_IS_BETTER = frozenset({"adjacent_errors", "far_errors", "ece", "brier", "log_loss"})
"""Measures of error."""

NO_VERDICT = frozenset({"adjacent_errors"})
"""Measures with chance beside them that need not beat it: a neighbour in a far grade's place is a gain."""
