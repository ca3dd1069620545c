"""What a number does not show: curves over every threshold, one idea a file."""

from classifiers.evaluation.curves.decision import Decision, decision_curve
from classifiers.evaluation.curves.distribution import Distribution, distribution_of
from classifiers.evaluation.curves.reliability import Bin, reliability_of
from classifiers.evaluation.curves.roc import Roc, roc_of

__all__ = [
    "Bin",
    "Decision",
    "Distribution",
    "Roc",
    "decision_curve",
    "distribution_of",
    "reliability_of",
    "roc_of",
]
