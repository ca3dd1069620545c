"""`cbir classify evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.terminal import out


def evaluate(
    predictions: Annotated[
        Path,
        typer.Argument(metavar="PREDICTIONS", help="A table of predictions: path, label, group, p:CLASS."),
    ],
) -> None:
    """Measure a classifier's predictions. Research use only, not for diagnosis."""
    from classifiers.predictions import read_predictions
    from cli.renderers.table import columns

    table = read_predictions(predictions)
    labelled = table.where(lambda row: table.labels[row] is not None)
    right = labelled.posteriors.argmax(axis=1) == labelled.codes
    rows = [("images", str(len(right))), ("classes", ", ".join(table.classes))]
    out(columns([*rows, ("accuracy", f"{right.mean():.4f}" if len(right) else "-")]))
