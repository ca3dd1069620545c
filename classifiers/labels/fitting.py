"""A label model and when it answers, fitted on items whose label is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cbir.errors import CalibrationError
from classifiers.calibration import (
    fit_temperature,
    log_loss,
    one_per_group,
    risk_threshold,
    set_cutoff,
    with_temperature,
)
from classifiers.labels.calibrated import LabelCalibration, Source
from classifiers.labels.model import LabelModel, combined
from classifiers.vote import Ballots, fit_vote, vote

_N_FOLDS = 5
_MIN_GROUPS = 2
_WEIGHTS = tuple(float(twentieth) / 20 for twentieth in range(21))


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What items that are known say when they ask.

    Args:
        ballots: of their hits, each found without its own patient.
        codes: (n,), the place of each item's label among the classes.
        groups: (n,), codes of the patients.
        posteriors: (n, n_classes), an attached classifier's, that did not learn from these items; rows of NaN
            where it does not know the item. None without one.
    """

    ballots: Ballots
    codes: NDArray[np.int64]
    groups: NDArray[np.int64]
    posteriors: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        """Items that ask."""
        return len(self.codes)

    def rows(self, chosen: NDArray[np.int64]) -> Evidence:
        """Of some of them."""
        posteriors = None if self.posteriors is None else self.posteriors[chosen]
        return Evidence(self.ballots.rows(chosen), self.codes[chosen], self.groups[chosen], posteriors)


@dataclass(frozen=True, slots=True)
class Promise:
    """What an answer keeps to: see ``LabelCalibration``."""

    risk: float
    confidence: float = 0.9


def fit_model(start: LabelModel, evidence: Evidence, *, is_part: bool = False) -> LabelModel:
    """Fit the vote, then the classifier's weight and the temperature of both together.

    Each makes the labels most likely; of weights that do so equally, the smallest.

    Args:
        start: its classes, prior and k.
        evidence: of items that no classifier learned from.
        is_part: of evidence that is known to have every class.

    Raises:
        CalibrationError: a class has no item.
    """
    classes = None if is_part else start.classes
    prior = np.array(start.prior)
    vote_temperature, prior_hits = fit_vote(evidence.ballots, evidence.codes, prior)
    start = replace(start, vote_temperature=vote_temperature, prior_hits=prior_hits)
    votes = vote(evidence.ballots, vote_temperature, prior, prior_hits)
    best = np.inf
    fitted = start
    for weight in _WEIGHTS if evidence.posteriors is not None else (0.0,):
        said = combined(votes, evidence.posteriors, weight)
        temperature = fit_temperature(said, evidence.codes, classes=classes)
        loss = log_loss(with_temperature(said, temperature), evidence.codes)
        if loss < best:
            best = loss
            fitted = replace(start, weight=weight, temperature=temperature)
    return fitted


def foretell(start: LabelModel, evidence: Evidence, *, seed: int = 0) -> NDArray[np.float64]:
    """What models that have not seen an item's patient say of it: five folds by patient.

    Returns:
        (n, n_classes), rows of sum 1.
    """
    found = np.empty((len(evidence), len(start.classes)))
    for others, held in _folds(evidence.groups, seed):
        model = fit_model(start, evidence.rows(others), is_part=True)
        unseen = evidence.rows(held)
        found[held] = model.probabilities(unseen.ballots, unseen.posteriors)
    return found


def calibrate(
    start: LabelModel, evidence: Evidence, promise: Promise, source: Source, *, seed: int = 0
) -> tuple[LabelCalibration, NDArray[np.float64]]:
    """Fit all of it: the model on every item; when to answer, by what was foretold of one image a patient.

    Args:
        start: its classes, prior and k.
        evidence: of the items.
        promise: what answers keep to.
        source: of the calibration.
        seed: of the folds, and of which image speaks for a patient.

    Returns:
        The calibration, and what ``foretell`` gives.

    Raises:
        CalibrationError: a class has no item, or there is but one patient.
    """
    model = fit_model(start, evidence)
    if len(np.unique(evidence.groups)) < _MIN_GROUPS:
        raise CalibrationError(
            f"All {len(evidence)} images are of one patient; calibration takes several. Name the column that "
            "holds the patient when the index is built: --group."
        )
    foretold = foretell(start, evidence, seed=seed)
    chosen = one_per_group(evidence.groups, seed=seed)
    found, codes = foretold[chosen], evidence.codes[chosen]
    threshold = risk_threshold(
        found.max(axis=1),
        found.argmax(axis=1) == codes,
        risk=promise.risk,
        confidence=promise.confidence,
    )
    cutoff = set_cutoff(found[np.arange(len(codes)), codes], miss=promise.risk)
    return LabelCalibration(model, promise.risk, promise.confidence, threshold, cutoff, source), foretold


def _folds(groups: NDArray[np.int64], seed: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """The rows of the others, and of each fold; a patient is in one."""
    names = np.unique(groups)
    n_folds = min(_N_FOLDS, len(names))
    fold_of = np.random.default_rng(seed).permutation(len(names)) % n_folds
    folds = fold_of[np.searchsorted(names, groups)]
    for fold in range(n_folds):
        yield np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
