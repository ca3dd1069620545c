"""What the nearest neighbours say a query is: their labels, each counting by how near it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cbir.types import Hit
from classifiers.calibration import log_loss

UNFITTED = 0.07
"""The temperature of a vote that nothing was fitted for: Wu et al., CVPR 2018, section 3.4."""

_SILENT = -1
_TEMPERATURES = np.geomspace(1e-3, 10.0, 25)
_PRIOR_HITS = np.geomspace(0.25, 256.0, 11)
_LOG_TOLERANCE = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class Ballots:
    """The labelled hits of queries, a row a query.

    Args:
        scores: (n, n_hits), higher is nearer; -inf where a query has no more hits that vote.
        codes: (n, n_hits), the place of each hit's label among the classes; -1 likewise.
    """

    scores: NDArray[np.float64]
    codes: NDArray[np.int64]

    @classmethod
    def of(cls, found: Sequence[Sequence[Hit]], classes: Sequence[str]) -> Self:
        """The votes of hits; one without a label, or with none of the classes, says nothing."""
        places = {label: code for code, label in enumerate(classes)}
        voters = [
            [(hit.score, places[hit.item.label]) for hit in hits if hit.item.label in places]
            for hits in found
        ]
        shape = len(found), max(1, *map(len, voters)) if voters else 1
        scores, codes = np.full(shape, -np.inf), np.full(shape, _SILENT, dtype=np.int64)
        for row, votes in enumerate(voters):
            if votes:
                scores[row, : len(votes)], codes[row, : len(votes)] = zip(*votes, strict=True)
        return cls(scores, codes)

    def __len__(self) -> int:
        """Queries."""
        return len(self.codes)

    def rows(self, chosen: NDArray[np.int64]) -> Self:
        """Those of some queries."""
        return type(self)(self.scores[chosen], self.codes[chosen])


def prior_of(counts: Mapping[str, int]) -> NDArray[np.float64]:
    """(n_classes,), the share of each label, one more of each counted so that none is 0."""
    prior = np.array(list(counts.values()), dtype=np.float64) + 1
    prior /= prior.sum()
    return prior


def vote(
    ballots: Ballots, temperature: float, prior: NDArray[np.float64], prior_hits: float = 1.0
) -> NDArray[np.float64]:
    """The labels' probabilities: each hit votes with the softmax of its score over the temperature.

    The prior votes beside them with the weight of some hits more, so that no label has probability 0. Without
    a hit that votes it stands alone.

    Args:
        ballots: of n queries.
        temperature: above 0: the smaller, the more the nearest hits decide.
        prior: (n_classes,), above 0, of sum 1.
        prior_hits: how many hits the prior weighs, above 0, where the query's weigh as many as they are.

    Returns:
        (n, n_classes), rows of sum 1.

    Source: the weights are those of Wu et al., Unsupervised Feature Learning via Non-Parametric Instance
    Discrimination, CVPR 2018, section 3.4; the prior is that of a Dirichlet distribution.
    """
    votes = ballots.codes != _SILENT
    n_votes = votes.sum(axis=1, keepdims=True)
    nearest = np.where(n_votes > 0, ballots.scores.max(axis=1, keepdims=True), 0.0)
    weights = np.exp((ballots.scores - nearest) / temperature)
    weights *= n_votes / np.maximum(weights.sum(axis=1, keepdims=True), 1.0)
    shares = np.zeros((len(ballots), len(prior)))
    queries = np.broadcast_to(np.arange(len(ballots))[:, np.newaxis], votes.shape)
    np.add.at(shares, (queries[votes], ballots.codes[votes]), weights[votes])
    shares += prior_hits * prior
    shares /= n_votes + prior_hits
    return shares


def fit_vote(ballots: Ballots, codes: NDArray[np.int64], prior: NDArray[np.float64]) -> tuple[float, float]:
    """The temperature and the weight of the prior at which the vote makes the queries' labels most likely.

    Hits that say nothing leave the prior, which weighs up to 256 of them. The log loss may have several
    minima: the best of a grid, its temperature refined between its neighbours.

    Args:
        ballots: of n queries.
        codes: (n,), the place of each query's label among the classes.
        prior: as ``vote`` takes it.

    Returns:
        The temperature, from 0.001 to 10, and the prior's hits.
    """
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float, prior_hits: float) -> float:
        said = vote(ballots, float(np.exp(log_temperature)), prior, prior_hits)
        return log_loss(np.log(said), codes)

    logs = np.log(_TEMPERATURES)
    losses = np.array([[loss(each, hits) for hits in _PRIOR_HITS] for each in logs])
    best, heaviest = divmod(int(losses.argmin()), len(_PRIOR_HITS))
    prior_hits = float(_PRIOR_HITS[heaviest])
    bounds = logs[max(best - 1, 0)], logs[min(best + 1, len(logs) - 1)]
    found = minimize_scalar(
        loss, bounds=bounds, args=(prior_hits,), method="bounded", options={"xatol": _LOG_TOLERANCE}
    )
    return float(np.exp(found.x)), prior_hits
