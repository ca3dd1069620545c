"""What `cbir classify evaluate` is asked for, and where its numbers come from."""

from __future__ import annotations

import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cbir.errors import ItemsError
from classifiers.evaluation.judged import Judged, judge
from classifiers.predictions import UNKNOWN, Predictions
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
    return judge(_predictions(path, asked), str(path))


def features_at(path: Path, asked: Asked) -> NDArray[np.float32]:
    """(n_images, dim), a row for each image that is judged, of a file with a row for each that was predicted.

    Raises:
        ItemsError: no such file, or not a row an image.
    """
    codes = _predictions(asked.predictions, asked).codes
    try:
        features = np.asarray(np.load(path, allow_pickle=False), dtype=np.float32)
    except (OSError, ValueError, TypeError) as error:
        raise ItemsError(f"{path} can't be read as .npy: {error}. Save an array of numbers.") from error
    if features.ndim != 2 or len(features) != len(codes):  # noqa: PLR2004 - rows and columns
        raise ItemsError(
            f"{path} has the shape {features.shape}, {asked.predictions} {len(codes)} images. Give "
            "a row an image of the table, in its order."
        )
    return np.asarray(features[codes != UNKNOWN], dtype=np.float32)


def provenance_of(asked: Asked) -> Provenance:
    """Where the numbers come from."""
    return Provenance(
        title=asked.predictions.name,
        command=asked.command,
        table=str(asked.predictions),
        sha256=_digest(_predictions(asked.predictions, asked)),
        split=asked.split,
        seed=asked.seed,
        versions=versions(),
        made=time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
    )


def _predictions(path: Path, asked: Asked) -> Predictions:
    return predictions_at(path, split=asked.split, is_ordinal=asked.is_ordinal)


def _digest(predictions: Predictions) -> str:
    """Of the labels and posteriors that were judged, wherever the files lie."""
    digest = sha256("\n".join(map(repr, (predictions.classes, predictions.labels))).encode())
    digest.update(np.ascontiguousarray(predictions.posteriors, dtype="<f8").tobytes())
    return digest.hexdigest()
