"""How sure a prediction may be: probabilities that mean what they say, and answers that are held back."""

from classifiers.calibration.conformal import label_set, one_per_group, risk_threshold, set_cutoff
from classifiers.calibration.temperature import fit_temperature, log_loss, with_temperature

__all__ = [
    "fit_temperature",
    "label_set",
    "log_loss",
    "one_per_group",
    "risk_threshold",
    "set_cutoff",
    "with_temperature",
]
