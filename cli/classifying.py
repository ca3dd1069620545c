"""What `cbir classify evaluate` is asked for, and where its numbers come from."""

from __future__ import annotations

import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np

from classifiers.evaluation.judged import Judged, judge
from classifiers.predictions import Predictions
from classifiers.report.provenance import Provenance
from classifiers.tables import predictions_at
from cli.versions import versions


@dataclass(frozen=True, slots=True)
class Asked:
    """A question.

    Args:
        predictions: a table, or a run.
        split: the rows to take; None for all.
        is_ordinal: whether classes are grades; None for as the table or run says.
        positive: the class that one would act on; None for each.
        compare: tables or runs of other classifiers.
        repeat: of the same one from other training seeds.
        seed: of every draw.
        command: as it was typed.
    """

    predictions: Path
    split: str | None
    is_ordinal: bool | None
    positive: str | None
    compare: tuple[Path, ...]
    repeat: tuple[Path, ...]
    seed: int
    command: str


def judged_at(path: Path, asked: Asked) -> Judged:
    """The images of a table or run that can be judged."""
    return judge(predictions_of(path, asked), str(path))


def predictions_of(path: Path, asked: Asked) -> Predictions:
    """A table or run, as the question takes it."""
    return predictions_at(path, split=asked.split, is_ordinal=asked.is_ordinal)


def provenance_of(asked: Asked) -> Provenance:
    """Where the numbers come from."""
    return Provenance(
        title=asked.predictions.name,
        command=asked.command,
        table=str(asked.predictions),
        sha256=_digest(predictions_of(asked.predictions, asked)),
        split=asked.split,
        seed=asked.seed,
        versions=versions(),
        made=time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
    )


def _digest(predictions: Predictions) -> str:
    """Of the labels and posteriors that were judged, wherever the files lie."""
    digest = sha256("\n".join(map(repr, (predictions.classes, predictions.labels))).encode())
    digest.update(np.ascontiguousarray(predictions.posteriors, dtype="<f8").tobytes())
    return digest.hexdigest()
