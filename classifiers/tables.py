"""Which table of predictions is meant: a file, or that of a training's run."""

from __future__ import annotations

from pathlib import Path

from cbir.errors import ItemsError
from classifiers.folder import SPEC_FILE, read_spec
from classifiers.predictions import Predictions, read_predictions

OF_RUN = {"test": "test.csv", "val": "validation.csv", "validation": "validation.csv"}
"""The tables that a run has, by the split they are of."""


def predictions_at(path: Path, *, split: str | None = None, is_ordinal: bool | None = None) -> Predictions:
    """Read the predictions of a file or a run, of one split.

    Args:
        path: a table, or the folder of a run: then the table of its test part, or of its validation part.
        split: the value of the column ``split`` whose rows are taken; None for all, where they are of one.
        is_ordinal: see ``read_predictions``; of a run None is as its classifier says.

    Raises:
        ItemsError: no such table or split; or the rows are of several splits and none is named.
        SpecError: the run's classifier can't be read.
    """
    if not path.is_dir():
        return _of_split(read_predictions(path, is_ordinal=is_ordinal), split, path)
    table = path / OF_RUN.get(split or "test", f"{split}.csv")
    if not table.is_file():
        there = ", ".join(name for name in dict.fromkeys(OF_RUN.values()) if (path / name).is_file())
        raise ItemsError(
            f"{path} has no table {table.name}; it has {there or 'none'}. Name a run of cbir classify train, "
            "or a table of predictions."
        )
    return read_predictions(table, is_ordinal=_ordinal_of(path) if is_ordinal is None else is_ordinal)


def _of_split(predictions: Predictions, split: str | None, path: Path) -> Predictions:
    there = sorted({each or "" for each in predictions.splits})
    shown = ", ".join(f"{each or 'none'} ({predictions.splits.count(each or None)})" for each in there)
    if split is None:
        if len(there) > 1:
            raise ItemsError(f"{path} has images of several splits: {shown}. Name one with --split.")
        return predictions
    rows = [row for row, each in enumerate(predictions.splits) if each == split]
    if not rows:
        raise ItemsError(f"{path} has no image of the split {split!r}; it has {shown}. Correct --split.")
    return predictions.only(rows)


def _ordinal_of(run: Path) -> bool | None:
    """What the run's classifier says of its classes; None where it says nothing."""
    return read_spec(run).is_ordinal if (run / SPEC_FILE).is_file() else None
