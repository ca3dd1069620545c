"""`cbir index convert`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import options as opt
from cli.building import build_store
from cli.qdrant import Collection, Url, server_of
from cli.settings import StoreKind, load_settings
from cli.terminal import note


def convert(
    *,
    store: Annotated[StoreKind, typer.Option(help="What is to find neighbours.")],
    index: opt.IndexOption = None,
    qdrant_url: Url = None,
    qdrant_collection: Collection = None,
) -> None:
    """Change what finds neighbours; embeddings, items and answers stay, no image is read."""
    from indexer.writer import IndexWriter

    settings = load_settings(index=index, qdrant_url=qdrant_url, qdrant_collection=qdrant_collection)
    with IndexWriter.open(settings.index, server=server_of(settings)) as writer:
        if writer.store.kind == store and qdrant_url is None:
            note(f"{settings.index} has the store {store} already; to build it again: cbir index rebuild")
            return
        build_store(writer, store, device=settings.device)
