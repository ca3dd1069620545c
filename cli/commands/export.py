"""`cbir index export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options as opt
from cli.settings import load_settings
from cli.terminal import note

_MIB = 2**20


def export(
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="A .parquet file; or an .npy file, with NAME.csv and NAME.json beside it."
        ),
    ],
    index: opt.IndexOption = None,
) -> None:
    """Write items, metadata and embeddings of an index as a table that other programs read.

    One row an item; of images in parts, one a part. Paths, labels and groups are in it as the index has them.
    """
    from indexer.exporting import export_index

    settings = load_settings(index=index)
    done = export_index(settings.index, output)
    names = ", ".join(str(each) for each in done.files)
    note(f"{names}: {done.n_items} items, {done.n_rows} embeddings, {done.n_bytes / _MIB:.1f} MiB")
