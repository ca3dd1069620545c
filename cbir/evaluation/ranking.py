"""What a measure sees of one query: the labels of its ranked hits, and what there was to find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """One query's answer, as codes: a label's code is its place in the study's classes.

    Where labels are ordinal, the classes are in their order and a code is also the grade.

    Args:
        label: the query's code.
        labels: (n_hits,), the hits' codes, best first.
        eligible: (n_classes,), how many items of each label could have been found.
    """

    label: int
    labels: NDArray[np.int64]
    eligible: NDArray[np.int64]

    @classmethod
    def of_relevance(cls, relevance: NDArray[np.bool_], n_relevant: int, n_eligible: int) -> Self:
        """A ranking of two classes: 1 is the query's, 0 all others.

        Args:
            relevance: (n_hits,), whether each hit has the query's label, best first.
            n_relevant: how many of those eligible do.
            n_eligible: how many could have been found.
        """
        codes = np.asarray(relevance, dtype=np.int64)
        return cls(1, codes, np.array([n_eligible - n_relevant, n_relevant], dtype=np.int64))

    @property
    def n_hits(self) -> int:
        """How many hits there are; fewer than eligible where the list was cut."""
        return len(self.labels)

    @property
    def n_relevant(self) -> int:
        """R: how many eligible items have the query's label."""
        return int(self.eligible[self.label])

    @property
    def n_eligible(self) -> int:
        """How many items could have been found."""
        return int(self.eligible.sum())

    @property
    def relevance(self) -> NDArray[np.bool_]:
        """(n_hits,), whether each hit has the query's label."""
        return np.equal(self.labels, self.label)

    def first(self, k: int) -> NDArray[np.int64]:
        """The codes of the first ``k`` hits.

        Raises:
            ValueError: ``k`` below 1.
        """
        if k < 1:
            raise ValueError(f"k is {k}; measure at least 1 hit.")
        return self.labels[:k]
