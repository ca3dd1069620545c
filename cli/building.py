"""Building a store, as a command tells it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cli.terminal import note

if TYPE_CHECKING:
    from cli.settings import Device
    from indexer.writer import IndexWriter


def build_store(writer: IndexWriter, kind: str | None = None, *, device: Device = "auto") -> None:
    """Build the files of the store from the embeddings, and say how long it took and what it measured.

    Until it is done the index answers as before; so it does after Ctrl-C.
    """
    kind = kind or writer.store.kind
    note(f"building the store {kind} of {writer.path} from {writer.n_rows} embeddings")
    started = time.monotonic()
    writer.build_store(kind, device=device, anew=True)
    if url := writer.store.settings.get("url"):
        name = writer.store.settings["collection"]
        note(f"uploaded in {time.monotonic() - started:.1f} s to {url} as {name}")
        return
    if not writer.store.files:
        note(f"the store {kind} needs no files for so many: it is made when the index is opened")
        return
    recall = writer.store.settings.get("recall_at_10")
    measured = f", recall@10 {recall:.1%}" if isinstance(recall, float) else ""
    note(f"built in {time.monotonic() - started:.1f} s{measured}")
