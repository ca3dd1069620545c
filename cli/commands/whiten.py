"""`cbir index whiten`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options as opt
from cli.opening import look_at_index
from cli.selecting import selection
from cli.settings import load_settings
from cli.terminal import note
from cli.whitening import Dim, Discriminated, Items, Shrinkage, shrinkage_of


def whiten(
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="The directory of the new index.")],
    index: opt.IndexOption = None,
    items: Items = None,
    dim: Dim = None,
    shrinkage: Shrinkage = "auto",
    label: Discriminated = None,
) -> None:
    """Fit whitening on an index, and write a new one whose embeddings are whitened; no image is read.

    Fit on a training split. With --label, fitted to tell labels apart. The old index stays as it is.
    """
    settings = load_settings(index=index)
    from cbir.extractors.fitting.whitening import whiten as fit
    from indexer.fitting.projected import project_index
    from indexer.fitting.rows import fitting_rows

    amount, part = shrinkage_of(shrinkage), selection(items)
    with look_at_index(settings) as opened:
        rows, n_in = fitting_rows(opened, part, label=label), opened.dim
    projection = fit(rows.vectors, dim=dim, shrinkage=amount, labels=rows.labels if label else None)
    project_index(settings.index, output, projection)
    if rows.n_unlabelled:
        note(f"left out: {rows.n_unlabelled} items without a {label}")
    note(f"{output}: {n_in} to {projection.dim} numbers, fitted on {rows.n_items} items; measure on others")
