"""What is it? A label with a calibrated probability, and the hits that speak for and against it; or none.

Fitting (``fitting``, ``worth``) is imported where it is done: a search does without.
"""

from classifiers.labels.calibrated import LabelCalibration, Source
from classifiers.labels.model import DEFAULT_K, LabelModel
from classifiers.labels.predicting import predict_label

__all__ = ["DEFAULT_K", "LabelCalibration", "LabelModel", "Source", "predict_label"]
