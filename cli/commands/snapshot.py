"""`cbir index snapshot`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options as opt
from cli.settings import load_settings
from cli.terminal import note

_MIB = 2**20


def snapshot(
    file: Annotated[Path, typer.Argument(help="The file to write, as lesions.cbir.tar; must not be there.")],
    *,
    index: opt.IndexOption = None,
    with_store: Annotated[
        bool,
        typer.Option(
            "--with-store",
            help="The store's files, too (default: `restore` builds them from the embeddings).",
        ),
    ] = False,
) -> None:
    """Copy the newest generation of an index into one file, while others search it or write to it.

    The networks are in it: what `restore` makes of it answers at once. The list of skipped files is not.
    """
    from indexer.snapshot import take_snapshot

    settings = load_settings(index=index)
    taken = take_snapshot(settings.index, file, with_store=with_store)
    left_out = ", the store left out" if taken.without_store else ""
    note(
        f"{file}: generation {taken.generation} of {settings.index}, {taken.n_items} items, {taken.n_files} "
        f"files{left_out}, {taken.n_bytes / _MIB:.1f} MiB"
    )
