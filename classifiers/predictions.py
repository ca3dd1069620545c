"""What a classifier said of images, as a table: a CSV or Parquet file, a row an image, a column a class."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cbir.errors import ItemsError
from cbir.items.found import Found
from cbir.items.ordinal import label_order
from cbir.items.table import as_text, read_table
from cbir.items.write import path_cell, write_table

COLUMN = "p:"
"""What the name of a class's column begins with."""

UNKNOWN = -1
"""The code of an image without a label."""

_SUM_TOLERANCE = 1e-3
_SPLIT = "split"


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Posteriors of images, and what the images were.

    Args:
        paths: (n_images,), absolute.
        labels: (n_images,), what each was; None where that is not known.
        groups: (n_images,), the patient; None where there is none.
        splits: (n_images,), the part of a split it belongs to; None without one.
        classes: names; where they are ordinal, in ascending order.
        posteriors: (n_images, n_classes), finite, in [0, 1], each row's sum within 1e-3 of 1.
        is_ordinal: whether the classes are grades.
    """

    paths: tuple[str, ...]
    labels: tuple[str | None, ...]
    groups: tuple[str | None, ...]
    splits: tuple[str | None, ...]
    classes: tuple[str, ...]
    posteriors: NDArray[np.float64]
    is_ordinal: bool

    @property
    def codes(self) -> NDArray[np.int64]:
        """(n_images,), each label's place among the classes; ``UNKNOWN`` without a label."""
        places = {label: place for place, label in enumerate(self.classes)}
        return np.array(
            [UNKNOWN if label is None else places[label] for label in self.labels], dtype=np.int64
        )

    def only(self, rows: Sequence[int]) -> Predictions:
        """Some of the rows, in the order given."""
        return replace(
            self,
            paths=tuple(self.paths[row] for row in rows),
            labels=tuple(self.labels[row] for row in rows),
            groups=tuple(self.groups[row] for row in rows),
            splits=tuple(self.splits[row] for row in rows),
            posteriors=self.posteriors[list(rows)],
        )


def read_predictions(path: str | Path, *, is_ordinal: bool | None = None) -> Predictions:
    """Read a table of predictions: CSV or Parquet.

    Its columns are ``path``, ``label``, ``group`` and ``split``, all but the first of which may be missing,
    and two or more ``p:CLASS``. Paths are relative to the file's own folder.

    Args:
        path: of the file.
        is_ordinal: whether the classes, in the order of their columns, are grades; None for yes where all of
            them are whole numbers in ascending order.

    Raises:
        ItemsError: the file can't be read; it has fewer than two columns ``p:CLASS``; a row is no posterior;
            a label is none of the classes.
    """
    name = str(path)
    rows = read_table(name).rows
    classes = tuple(
        column.removeprefix(COLUMN).strip() for column in rows[0].metadata if column.startswith(COLUMN)
    )
    if len(classes) < 2 or len(set(classes)) < len(classes) or "" in classes:  # noqa: PLR2004 - one is no choice
        raise ItemsError(
            f"{name} has the classes {', '.join(map(repr, classes)) or 'none'}. It needs a column "
            f"{COLUMN}CLASS for each of two or more different classes, as cbir classify predict writes."
        )
    posteriors = np.array([_posterior(name, row) for row in rows])
    for row in rows:
        if row.label is not None and row.label not in classes:
            raise ItemsError(
                f"{name}: {row.path} has the label {row.label!r}, the classes are {', '.join(classes)}. "
                f"Correct the label, or add a column {COLUMN}{row.label}."
            )
    return Predictions(
        paths=tuple(row.path for row in rows),
        labels=tuple(row.label for row in rows),
        groups=tuple(row.group for row in rows),
        splits=tuple(as_text(row.metadata.get(_SPLIT)) for row in rows),
        classes=classes,
        posteriors=posteriors,
        is_ordinal=label_order(classes) == classes if is_ordinal is None else is_ordinal,
    )


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write a table as CSV, whole or not at all, in the place of one that is there.

    Posteriors have nine digits: those of single precision come back as they were.

    Raises:
        ItemsError: a row is no posterior, a label none of the classes; or as ``write_table``.
    """
    _check(path, predictions)
    folder = os.path.abspath(path.parent)  # noqa: PTH100 - resolve() would follow links
    columns: dict[str, Sequence[object]] = {
        "path": [path_cell(each, folder) for each in predictions.paths],
        "label": predictions.labels,
        "group": predictions.groups,
        _SPLIT: predictions.splits,
    }
    columns |= {
        COLUMN + name: [f"{value:.9g}" for value in predictions.posteriors[:, code].tolist()]
        for code, name in enumerate(predictions.classes)
    }
    write_table(path, columns, may_replace=True)


def _posterior(name: str, row: Found) -> list[float]:
    cells = [cell for column, cell in row.metadata.items() if column.startswith(COLUMN)]
    try:
        values = [float(str(cell)) for cell in cells]
    except ValueError:
        raise ItemsError(
            f"{name}: the probabilities of {row.path} are {', '.join(map(repr, cells))}. "
            "Give a number a class."
        ) from None
    if problem := _problem(np.array([values])):
        raise ItemsError(f"{name}: {row.path} {problem}")
    return values


def _check(path: Path, predictions: Predictions) -> None:
    if predictions.posteriors.shape != (len(predictions.paths), len(predictions.classes)):
        raise ValueError(
            f"{predictions.posteriors.shape} posteriors of {len(predictions.paths)} images and "
            f"{len(predictions.classes)} classes."
        )
    if problem := _problem(predictions.posteriors):
        raise ItemsError(f"{path} is not written: an image {problem}")
    strange = set(predictions.labels) - {None, *predictions.classes}
    if strange:
        raise ItemsError(
            f"{path} is not written: it would have the labels {sorted(map(str, strange))}, the classes are "
            f"{', '.join(predictions.classes)}. Leave those images out."
        )


def _problem(posteriors: NDArray[np.float64]) -> str | None:
    """What is wrong with the first row that is no posterior; None of good ones."""
    sums = posteriors.sum(axis=1)
    bad = ~np.isfinite(sums) | ((posteriors < 0) | (posteriors > 1)).any(axis=1)
    bad |= np.abs(sums - 1) > _SUM_TOLERANCE
    if not bad.any():
        return None
    row = int(np.argmax(bad))
    shown = ", ".join(f"{value:g}" for value in posteriors[row].tolist())
    return (
        f"has the probabilities {shown} with the sum {sums[row]:g}. Each lies in 0 to 1, their sum is 1 to "
        f"within {_SUM_TOLERANCE:g}: write the softmax of the network's answers."
    )
