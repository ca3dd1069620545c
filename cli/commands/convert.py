"""`cbir index convert`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import options as opt
from cli.building import build_store
from cli.exit_codes import UsageProblem
from cli.opening import open_writer
from cli.qdrant import Collection, Url
from cli.settings import StoreKind, load_settings
from cli.terminal import note


def convert(
    *,
    store: Annotated[StoreKind, typer.Option(help="What is to find neighbours.")],
    index: opt.IndexOption = None,
    qdrant_url: Url = None,
    qdrant_collection: Collection = None,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Take the name on the server over from another index, whose collection is dropped.",
        ),
    ] = False,
) -> None:
    """Change what finds neighbours; embeddings, items and answers stay, no image is read."""
    settings = load_settings(index=index, qdrant_url=qdrant_url, qdrant_collection=qdrant_collection)
    if replace and store != "qdrant":
        raise UsageProblem(f"--replace goes with --store qdrant, not {store}: only a server has names.")
    with open_writer(settings, takes_over=replace) as writer:
        if writer.store.kind == store and not (qdrant_url or qdrant_collection or replace):
            note(f"{settings.index} has the store {store} already; to build it again: cbir index rebuild")
            return
        build_store(writer, store, device=settings.device)
