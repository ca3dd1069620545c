"""What a calibration is worth, by what was foretold of items whose patients it had not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cbir.evaluation.intervals import Interval, Sample, group_bootstrap
from classifiers.labels.calibrated import LabelCalibration
from classifiers.labels.fitting import Evidence
from classifiers.labels.model import LabelModel
from classifiers.measures.draws import Draws
from classifiers.measures.ece import ece

_N_CHANCE = 200


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over items, with its interval by patients."""

    value: float
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Worth:
    """Numbers of a calibration.

    Args:
        accuracy: of the most probable label, answered or not.
        constant: the label that most items have.
        constant_accuracy: of always answering that.
        gain: of the accuracy over it, item by item.
        ece_before: expected calibration error of the plain vote, nothing fitted.
        ece_after: of the fitted.
        ece_by_chance: what probabilities that mean just what they say would show, of as many items.
        coverage: the share of items that got an answer.
        risk: the share of wrong answers; None where there was none.
        set_coverage: the share of label sets that hold the right one.
        set_size: labels in a set.
        gain_by_classifier: of the accuracy over the fitted vote alone; None where no classifier has a part.
    """

    accuracy: Estimate
    constant: str
    constant_accuracy: float
    gain: Estimate
    ece_before: float
    ece_after: float
    ece_by_chance: float
    coverage: Estimate
    risk: Estimate | None
    set_coverage: Estimate
    set_size: float
    gain_by_classifier: Estimate | None = None

    @property
    def is_result(self) -> bool:
        """Whether it beats always answering the same."""
        return _beats(self.gain)

    @property
    def classifier_helps(self) -> bool:
        """Whether it beats the vote alone."""
        return self.gain_by_classifier is not None and _beats(self.gain_by_classifier)


def worth_of(
    evidence: Evidence,
    foretold: NDArray[np.float64],
    made: LabelCalibration,
    *,
    vote_alone: NDArray[np.float64] | None = None,
    seed: int = 0,
) -> Worth:
    """Measure what was foretold.

    Args:
        evidence: of the items.
        foretold: (n, n_classes), of each.
        made: says when to answer; its threshold was chosen on these items.
        vote_alone: foretold without the classifier, where one has a part.
        seed: of the intervals.
    """
    classes = made.model.classes
    right = _right(foretold, evidence)
    counts = np.bincount(evidence.codes, minlength=len(classes))
    constant = int(counts.argmax())

    def mean(values: NDArray[np.float64]) -> Estimate:
        sample = Sample(values, evidence.codes, evidence.groups)
        return Estimate(sample.mean("micro"), group_bootstrap(sample, "micro", seed=seed))

    confidences = foretold.max(axis=1)
    answered = confidences >= (np.inf if made.threshold is None else made.threshold)
    in_set = (foretold >= made.set_cutoff) | (foretold == confidences[:, np.newaxis])
    model = made.model
    unfitted = LabelModel(classes, model.prior, model.k).probabilities(evidence.ballots)
    there = in_set[np.arange(len(evidence)), evidence.codes]
    return Worth(
        accuracy=mean(right),
        constant=classes[constant],
        constant_accuracy=float(counts[constant] / len(evidence)),
        gain=mean(right - (evidence.codes == constant)),
        ece_before=_ece(unfitted, evidence.codes),
        ece_after=_ece(foretold, evidence.codes),
        ece_by_chance=_ece_by_chance(foretold, seed),
        coverage=mean(answered.astype(np.float64)),
        risk=mean(np.where(answered, 1 - right, np.nan)) if answered.any() else None,
        set_coverage=mean(there.astype(np.float64)),
        set_size=float(in_set.sum(axis=1).mean()),
        gain_by_classifier=None if vote_alone is None else mean(right - _right(vote_alone, evidence)),
    )


def _right(probabilities: NDArray[np.float64], evidence: Evidence) -> NDArray[np.float64]:
    right: NDArray[np.bool_] = np.equal(probabilities.argmax(axis=1), evidence.codes)
    return right.astype(np.float64)


def _ece(probabilities: NDArray[np.float64], codes: NDArray[np.int64]) -> float:
    return float(ece(Draws(codes, probabilities, np.ones((1, len(codes)))))[0])


def _ece_by_chance(probabilities: NDArray[np.float64], seed: int) -> float:
    """The mean over labels drawn by the probabilities themselves."""
    drawn = np.random.default_rng(seed).random((_N_CHANCE, len(probabilities), 1))
    below = probabilities.cumsum(axis=1)[:, :-1]
    return float(np.mean([_ece(probabilities, (each > below).sum(axis=1)) for each in drawn]))


def _beats(gain: Estimate) -> bool:
    return gain.interval is not None and gain.interval.low > 0
