"""`cbir index restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options as opt
from cli.building import build_store
from cli.settings import load_settings
from cli.terminal import note


def restore(
    file: Annotated[Path, typer.Argument(help="What `cbir index snapshot` wrote.")],
    *,
    output: opt.NewIndex = None,
) -> None:
    """Make an index of a snapshot: every byte is checked before the directory appears.

    A store that was left out is built again. Nothing is ever written over: the place must be free.
    """
    from indexer.snapshot import restore_snapshot
    from indexer.writer import IndexWriter

    settings = load_settings(index=output)
    restored = restore_snapshot(file, settings.index)
    note(
        f"{settings.index}: generation {restored.generation}, {restored.n_items} items, {restored.n_files} "
        f"files, as {file} has them"
    )
    if restored.lacks_store:  # in files, wherever a server is set: its collection may be another copy's
        with IndexWriter.open(settings.index) as writer:
            build_store(writer, device=settings.device)
