from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_BINS = 20


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """How probable a class was said to be, of images of it and of others.

    Args:
        own: (n_bins,), shares of the class's images, from probability 0 to 1 in equal bins, closed below.
        others: (n_bins,), of all other images.
    """

    own: NDArray[np.float64]
    others: NDArray[np.float64]


def distribution_of(probabilities: NDArray[np.float64], positive: NDArray[np.bool_]) -> Distribution:
    """Count a class's probabilities; NaN where there are no images to share.

    Args:
        probabilities: (n_images,), of the class.
        positive: (n_images,), whether each is of it.
    """
    bins = np.minimum((probabilities * N_BINS).astype(np.int64), N_BINS - 1)
    counts = [np.bincount(bins[chosen], minlength=N_BINS) for chosen in (positive, ~positive)]
    own, others = (each / each.sum() if each.sum() else np.full(N_BINS, np.nan) for each in counts)
    return Distribution(own, others)
