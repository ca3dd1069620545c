"""Oversampling: images of rarer classes come again, until all classes have as many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_STREAM = 3
"""No other random numbers of a training begin with this."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """The images of an epoch.

    Args:
        places: (n_drawn,), in the labels; each at least once.
        turns: (n_drawn,), how often each was there before: from 0.
    """

    places: NDArray[np.int64]
    turns: NDArray[np.int64]


def oversampled(codes: NDArray[np.int64], *, seed: int, epoch: int) -> Drawn:
    """Repeat images until every class that is there has as many as the largest.

    The images of a class come equally often, to within one; which of them come once more, the seed and the
    epoch say.

    Args:
        codes: (n_images,), of the training part alone: an image that is repeated before the parts are made is
            in several of them.
        seed: of the training, >= 0.
        epoch: from 0.

    Raises:
        ValueError: no images.
    """
    if not len(codes):
        raise ValueError("There are no images to draw from.")
    random = np.random.default_rng([_STREAM, seed, epoch])
    most = int(np.bincount(codes).max())
    places, turns = [], []
    for code in np.unique(codes):
        rows = random.permutation(np.flatnonzero(codes == code))
        numbers = np.arange(most)
        places.append(rows[numbers % len(rows)])
        turns.append(numbers // len(rows))
    return Drawn(np.concatenate(places), np.concatenate(turns))
