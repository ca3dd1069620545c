"""Judged images, counted as often as a draw has them: what a measure is a function of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.measures.area import area_under_roc


@dataclass(frozen=True, eq=False)
class Draws:
    """The same answers, in many draws of the images at once.

    Args:
        labels: (n_images,), codes of the classes.
        posteriors: (n_images, n_classes).
        weights: (n_draws, n_images), how often each image counts; all ones for the table as it is.
    """

    labels: NDArray[np.int64]
    posteriors: NDArray[np.float64]
    weights: NDArray[np.float64]

    @classmethod
    def once(cls, labels: NDArray[np.int64], posteriors: NDArray[np.float64]) -> Self:
        """The table as it is, each image counted once: one draw."""
        return cls(labels, posteriors, np.ones((1, len(labels))))

    @cached_property
    def answers(self) -> NDArray[np.int64]:
        """(n_images,), the most probable class; of several the first."""
        return np.asarray(self.posteriors.argmax(axis=1), dtype=np.int64)

    @cached_property
    def totals(self) -> NDArray[np.float64]:
        """(n_draws,), how many images count."""
        return np.asarray(self.weights.sum(axis=1), dtype=np.float64)

    @cached_property
    def confusion(self) -> NDArray[np.float64]:
        """(n_draws, n_classes, n_classes), counts: a row is the label, a column the answer."""
        n = self.posteriors.shape[1]
        return self.sums(self.labels * n + self.answers, n * n).reshape(-1, n, n)

    @cached_property
    def counts(self) -> NDArray[np.float64]:
        """(n_draws, n_classes), images of each class."""
        return np.asarray(self.confusion.sum(axis=2), dtype=np.float64)

    @cached_property
    def hits(self) -> NDArray[np.float64]:
        """(n_draws, n_classes), images of each class that were given it."""
        return np.diagonal(self.confusion, axis1=1, axis2=2)

    @cached_property
    def given(self) -> NDArray[np.float64]:
        """(n_draws, n_classes), images that were given each class."""
        return np.asarray(self.confusion.sum(axis=1), dtype=np.float64)

    @cached_property
    def areas(self) -> NDArray[np.float64]:
        """(n_draws, n_classes), under the ROC curve of each class against the rest."""
        columns = enumerate(self.posteriors.T)
        return np.stack(
            [area_under_roc(scores, self.labels == code, self.weights) for code, scores in columns], axis=1
        )

    def sums(
        self, cells: NDArray[np.int64], n_cells: int, values: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """(n_draws, n_cells), the sums of the images' values, by the cell that each is in.

        Args:
            cells: (n_images,), from 0.
            n_cells: how many there are.
            values: (n_images,); None to count.
        """
        order = np.argsort(cells, kind="stable")
        present, starts = np.unique(cells[order], return_index=True)
        weights = self.weights if values is None else self.weights * values
        sums = np.zeros((len(self.weights), n_cells))
        sums[:, present] = np.add.reduceat(weights[:, order], starts, axis=1)
        return sums

    def mean(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n_draws,), the mean of the images' values."""
        return self.weights @ values / self.totals


def divided(above: NDArray[np.float64], below: NDArray[np.float64], *, empty: float) -> NDArray[np.float64]:
    """A quotient, ``empty`` where there is nothing to divide by."""
    below = np.broadcast_to(below, above.shape)
    quotient = np.full(above.shape, empty)
    np.divide(above, below, out=quotient, where=below != 0)
    return quotient
