"""From hits, and what a classifier says, to the probability of every label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from classifiers.calibration import with_temperature
from classifiers.vote import UNFITTED, Ballots, prior_of, vote

DEFAULT_K = 25
"""How many hits vote where nobody says."""

_LEAST = 1e-6
"""A classifier's probability below this counts as this: none is so sure that neighbours can't object."""


@dataclass(frozen=True, slots=True)
class LabelModel:
    """The numbers that make hits and a posterior into probabilities.

    Args:
        classes: the labels.
        prior: of each, above 0, of sum 1.
        k: how many hits are asked for their labels.
        vote_temperature: of the vote.
        prior_hits: how many hits the prior weighs in it.
        weight: of a classifier's posterior in the geometric mean with the vote; 0 where there is none, or
            none that helps.
        temperature: of the mean.
    """

    classes: tuple[str, ...]
    prior: tuple[float, ...]
    k: int = DEFAULT_K
    vote_temperature: float = UNFITTED
    prior_hits: float = 1.0
    weight: float = 0.0
    temperature: float = 1.0

    @classmethod
    def unfitted(cls, counts: Mapping[str, int], k: int = DEFAULT_K) -> Self:
        """The plain vote of an index with so many items of each label."""
        return cls(tuple(counts), tuple(prior_of(counts).tolist()), k)

    @classmethod
    def from_dict(cls, said: Mapping[str, object]) -> Self:
        """What ``to_dict`` wrote."""
        fields: dict[str, object] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in said.items()
        }
        return cls(**fields)  # type: ignore[arg-type]  # as written by to_dict, under a checksum

    def to_dict(self) -> dict[str, object]:
        """As JSON can say it."""
        return asdict(self)

    def probabilities(
        self, ballots: Ballots, posteriors: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """The probability of each label.

        Args:
            ballots: of n queries.
            posteriors: (n, n_classes), a classifier's, in the order of the classes; None where nobody ran it,
                and rows of NaN likewise: then the vote speaks alone.

        Returns:
            (n, n_classes), rows of sum 1, none 0.
        """
        votes = vote(ballots, self.vote_temperature, np.array(self.prior), self.prior_hits)
        return np.exp(with_temperature(combined(votes, posteriors, self.weight), self.temperature))


def combined(
    votes: NDArray[np.float64], posteriors: NDArray[np.float64] | None, weight: float
) -> NDArray[np.float64]:
    """(n, n_classes), the log of the weighted geometric mean, up to a constant a row.

    Args:
        votes: (n, n_classes), above 0.
        posteriors: as ``LabelModel.probabilities`` takes them.
        weight: of the posteriors, from 0 to 1.

    Source: the logarithmic pool: Genest and Zidek, Combining Probability Distributions, Statistical Science
    1986.
    """
    said = np.log(votes)
    if posteriors is None or not weight:
        return said
    known = np.isfinite(posteriors).all(axis=1, keepdims=True)
    pooled = (1 - weight) * said + weight * np.log(np.clip(np.where(known, posteriors, 1.0), _LEAST, None))
    return np.where(known, pooled, said)
