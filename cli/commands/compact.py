"""`cbir index compact`."""

from __future__ import annotations

from cli import options as opt
from cli.opening import open_writer
from cli.settings import load_settings
from cli.terminal import note


def compact(*, index: opt.IndexOption = None) -> None:
    """Give back the space of removed items, merge small files, and rebuild the store."""
    settings = load_settings(index=index)
    with open_writer(settings) as writer:
        n_dropped = writer.compact(device=settings.device)
    note(f"compacted {settings.index}: {n_dropped} embeddings without items dropped")
