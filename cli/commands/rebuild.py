"""`cbir index rebuild`."""

from __future__ import annotations

from cli import options as opt
from cli.building import build_store
from cli.opening import open_writer
from cli.settings import load_settings


def rebuild(*, index: opt.IndexOption = None) -> None:
    """Build the store of an index again from its embeddings, as when a file of the store is damaged."""
    settings = load_settings(index=index)
    with open_writer(settings) as writer:
        build_store(writer, device=settings.device)
