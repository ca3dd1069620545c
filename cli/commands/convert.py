"""`cbir index convert`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import options as opt
from cli.building import build_store
from cli.settings import StoreKind, load_settings
from cli.terminal import note


def convert(
    *,
    store: Annotated[StoreKind, typer.Option(help="What is to find neighbours.")],
    index: opt.IndexOption = None,
) -> None:
    """Change what finds neighbours; embeddings, items and answers stay, no image is read."""
    from indexer.writer import IndexWriter

    settings = load_settings(index=index)
    with IndexWriter.open(settings.index) as writer:
        if writer.store.kind == store:
            note(f"{settings.index} has the store {store} already; to build it again: cbir index rebuild")
            return
        build_store(writer, store, device=settings.device)
