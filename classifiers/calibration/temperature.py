"""One number that makes probabilities as sure as they are right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cbir.errors import CalibrationError

_LOG_BOUNDS = np.log(0.01), np.log(100.0)
_LOG_TOLERANCE = 1e-7
_MIN_CLASSES = 2


def fit_temperature(
    logits: NDArray[np.float64], codes: NDArray[np.int64], *, classes: Sequence[str] | None
) -> float:
    """The temperature that makes the labels most likely: the logits are divided by it.

    The log loss has one minimum over it, sought between 0.01 and 100. Where the logits say nothing it is the
    upper end; where every image is right, a low one of those at which nothing is lost. The order of an
    image's classes never changes.

    Args:
        logits: (n, n_classes), finite; log probabilities do as well.
        codes: (n,), the place of each image's label among the classes.
        classes: their names; None for a part of images that are known to have every class.

    Returns:
        Above 1 where the logits are too sure, below 1 where they are not sure enough.

    Raises:
        CalibrationError: a class has no image, there is but one, or a logit is not finite.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, section 4.2.
    """
    from scipy.optimize import minimize_scalar

    if classes is not None:
        check_classes(codes, classes)
    if not np.isfinite(logits).all():
        row = int(np.flatnonzero(~np.isfinite(logits).all(axis=1))[0])
        raise CalibrationError(
            f"Row {row} of {len(logits)} has a logit that is not finite: {logits[row].tolist()}. A "
            "probability of 0 has none; leave the row out, or mend what made it."
        )

    def loss(log_temperature: float) -> float:
        return log_loss(with_temperature(logits, float(np.exp(log_temperature))), codes)

    found = minimize_scalar(loss, bounds=_LOG_BOUNDS, method="bounded", options={"xatol": _LOG_TOLERANCE})
    return float(np.exp(found.x))


def check_classes(codes: NDArray[np.int64], classes: Sequence[str]) -> None:
    """Refuse labels that nothing can be calibrated with.

    Raises:
        CalibrationError: there are fewer than two classes, or one has no image.
    """
    if len(classes) < _MIN_CLASSES:
        raise CalibrationError(
            f"Calibration takes two classes, and here is {len(classes)}: {', '.join(classes) or 'none'}. "
            "Name a column that tells the images apart."
        )
    counts = np.bincount(codes, minlength=len(classes))
    if empty := [name for name, count in zip(classes, counts, strict=True) if not count]:
        raise CalibrationError(
            f"Calibration with an empty class: none of {len(codes)} images is labelled "
            f"{', '.join(map(repr, empty))}, of the classes {', '.join(classes)}. Calibrate with images of "
            "every class, or take the class away."
        )


def with_temperature(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """(n, n_classes), the log probabilities of logits (or log probabilities) divided by a temperature."""
    cooled: NDArray[np.float64] = logits / temperature
    cooled = cooled - cooled.max(axis=1, keepdims=True)
    cooled -= np.log(np.exp(cooled).sum(axis=1, keepdims=True))
    return cooled


def log_loss(log_probabilities: NDArray[np.float64], codes: NDArray[np.int64]) -> float:
    """The mean over images of minus the log probability of the label; lower is better."""
    return -float(log_probabilities[np.arange(len(codes)), codes].mean())
