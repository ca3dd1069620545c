from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.measures.ece import N_BINS, bins_of


@dataclass(frozen=True, slots=True)
class Bin:
    """Images whose answer is about as probable.

    Args:
        n_images: in the bin, one or more.
        probability: the mean of their answers'.
        right: the share whose answer is their label; the same where the classifier is calibrated.
    """

    n_images: int
    probability: float
    right: float


def reliability_of(posteriors: NDArray[np.float64], labels: NDArray[np.int64]) -> tuple[Bin, ...]:
    """How often answers of each probability are right; the bins of the calibration error that are not empty.

    Args:
        posteriors: (n_images, n_classes).
        labels: (n_images,), codes of the classes.

    Source: DeGroot, Fienberg, The Statistician 1983; Niculescu-Mizil, Caruana, ICML 2005.
    """
    sure = posteriors.max(axis=1)
    right = posteriors.argmax(axis=1) == labels
    bins = bins_of(sure)
    rows = (bins == number for number in range(N_BINS))
    return tuple(
        Bin(int(row.sum()), float(sure[row].mean()), float(right[row].mean())) for row in rows if row.any()
    )
