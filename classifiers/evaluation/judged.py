"""The images of a table of predictions that can be judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cbir.errors import ItemsError
from classifiers.predictions import UNKNOWN, Predictions

_MIN_CLASSES = 2
_MIN_GRADES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Images with a label, and their posteriors.

    Args:
        predictions: the table's rows that have a label.
        labels: (n_images,), codes of the classes.
        groups: (n_images,), codes from 0; an image without a group is one of its own.
        notes: a sentence for each thing that a reader of the numbers must know.
    """

    predictions: Predictions
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    notes: tuple[str, ...]

    @property
    def posteriors(self) -> NDArray[np.float64]:
        """(n_images, n_classes)."""
        return self.predictions.posteriors

    @property
    def classes(self) -> tuple[str, ...]:
        """Names."""
        return self.predictions.classes

    @property
    def counts(self) -> NDArray[np.int64]:
        """(n_classes,), images of each."""
        return np.bincount(self.labels, minlength=len(self.classes))

    @property
    def n_groups(self) -> int:
        """How many groups there are."""
        return int(self.groups.max()) + 1

    @property
    def has_grades(self) -> bool:
        """Whether distances between classes say more than that they differ: of two they do not."""
        return self.predictions.is_ordinal and len(self.classes) >= _MIN_GRADES


def judge(predictions: Predictions, name: str) -> Judged:
    """Take what can be judged.

    Args:
        predictions: of any images.
        name: of the table, for messages.

    Raises:
        ItemsError: the labelled images are of fewer than two classes.
    """
    codes = predictions.codes
    known = predictions.only(np.flatnonzero(codes != UNKNOWN).tolist())
    labels = known.codes
    there = sorted({known.classes[code] for code in labels.tolist()})
    if len(there) < _MIN_CLASSES:
        raise ItemsError(
            f"{name}: {len(labels)} of {len(codes)} images have a label, and these are of {len(there)} "
            f"classes{': ' + there[0] if there else ''}. A table to be measured has two or more."
        )
    return Judged(known, labels, _group_codes(known), _notes(predictions, known, there))


def _group_codes(predictions: Predictions) -> NDArray[np.int64]:
    numbers: dict[tuple[bool, str], int] = {}
    keys = [
        (group is None, path if group is None else group)
        for path, group in zip(predictions.paths, predictions.groups, strict=True)
    ]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.int64)


def _notes(predictions: Predictions, known: Predictions, there: Sequence[str]) -> tuple[str, ...]:
    notes = []
    if n := len(predictions.paths) - len(known.paths):
        notes.append(f"{n} of {len(predictions.paths)} images have no label and were not judged")
    if empty := [name for name in known.classes if name not in there]:
        notes.append(
            f"no image is of {', '.join(map(repr, empty))}: macro means are over the other {len(there)} "
            "classes"
        )
    if n := sum(group is None for group in known.groups):
        which = (
            "no image has a group" if n == len(known.paths) else f"{n} of {len(known.paths)} have no group"
        )
        notes.append(
            f"{which}: each counts as a patient of its own; where patients have several images, the "
            "intervals are too narrow"
        )
    return tuple(notes)
