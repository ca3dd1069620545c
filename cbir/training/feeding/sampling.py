"""Which images a step sees: drawn by the seed and the epoch, and by nothing else.

pytorch-metric-learning's MPerClassSampler draws from NumPy's global generator: it can't be seeded by epoch,
nor knows no groups, and leaves a class out of an epoch by chance. Its guarantees hold here as well.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]

_STREAM = 1
"""No other random numbers of a training begin with this."""


def balanced_batches(
    labels: Sequence[int] | NDArray[np.int64],
    groups: Sequence[str],
    *,
    classes: int,
    per_class: int,
    seed: int,
    epoch: int,
) -> list[Rows]:
    """Draw batches of P classes and K images of each.

    The classes take turns, so that each is drawn as often as any other, to within one. So do the images of a
    class: all of them, in an order that changes group with every image where it can, before one comes again.
    An epoch has as many batches as the images would fill; of a large class it sees a part.

    Args:
        labels: (n_images,), codes; of the training part alone.
        groups: (n_images,), the patient.
        classes: P; where there are fewer, they share its places as evenly as they can.
        per_class: K; of a class with fewer, some come twice in a batch.
        seed: of the training, >= 0.
        epoch: from 0.

    Returns:
        Batches of P × K places in ``labels``.

    Raises:
        ValueError: no images, or P or K below 1.
    """
    if not len(labels) or classes < 1 or per_class < 1:
        raise ValueError(
            f"{len(labels)} images, {classes} classes × {per_class} images a batch; each must be 1 or more."
        )
    random = np.random.default_rng([_STREAM, seed, epoch])
    codes = np.asarray(labels)
    turns = [_Turns(np.flatnonzero(codes == code), groups, random) for code in np.unique(codes)]
    every, extra = divmod(classes, len(turns))
    drawn = np.zeros(len(turns), dtype=np.int64)
    batches = []
    for _ in range(-(-len(codes) // (classes * per_class))):
        fewest_first = np.lexsort((random.random(len(turns)), drawn))
        n_places = np.full(len(turns), every)
        n_places[fewest_first[:extra]] += 1
        drawn += n_places
        batches.append(
            np.concatenate([turns[i].take(per_class * n_places[i]) for i in fewest_first if n_places[i]])
        )
    return batches


def shuffled_batches(n_images: int, *, batch: int, seed: int, epoch: int) -> list[Rows]:
    """Draw every image once.

    Args:
        n_images: of the training part.
        batch: images a batch at most, >= 1; the batches differ in size by one at most, so that none is left
            with a single image where a batch norm needs two.
        seed: of the training, >= 0.
        epoch: from 0.

    Raises:
        ValueError: no images, or a batch below 1.
    """
    if n_images < 1 or batch < 1:
        raise ValueError(f"{n_images} images, {batch} a batch; each must be 1 or more.")
    order = np.random.default_rng([_STREAM, seed, epoch]).permutation(n_images)
    return np.array_split(order, -(-n_images // batch))


class _Turns:
    """The images of a class, one after the other, round and round."""

    def __init__(self, rows: Rows, groups: Sequence[str], random: np.random.Generator) -> None:
        self._rows = rows
        self._random = random
        self._by_group: dict[str, list[int]] = defaultdict(list)
        for row in rows.tolist():
            self._by_group[groups[row]].append(row)
        self._waiting: list[int] = []

    def take(self, n: int) -> Rows:
        """The next n: none twice where there are as many, else each as often as any other, to within one."""
        rounds, rest = divmod(n, len(self._rows))
        taken: dict[int, None] = {}
        while len(taken) < rest:
            self._waiting = self._waiting or self._dealt()
            fresh = next(i for i in reversed(range(len(self._waiting))) if self._waiting[i] not in taken)
            taken[self._waiting.pop(fresh)] = None
        return np.concatenate([np.tile(self._rows, rounds), np.fromiter(taken, dtype=np.int64)])

    def _dealt(self) -> list[int]:
        """All images, the last first: one of each group, then a second of those that have one, and so on."""
        piles = list(self._by_group.values())
        shuffled = [self._random.permutation(piles[i]).tolist() for i in self._random.permutation(len(piles))]
        layers = itertools.zip_longest(*shuffled)
        return [row for layer in layers for row in layer if row is not None][::-1]
