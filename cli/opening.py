"""Indexes as the settings say: whose items, and how the server that may keep their store is reached."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cli.exit_codes import UsageProblem
from cli.qdrant import server_of

if TYPE_CHECKING:
    from cli.settings import Settings
    from indexer.index import Index
    from indexer.writer import IndexWriter


def open_index(
    settings: Settings, path: Path | None = None, *, store: str | None = None, resident: bool = True
) -> Index:
    """Open an index to search it: the tenant's items, where one is set.

    Args:
        settings: of the run.
        path: of another index than the settings'.
        store: see ``Index.open``.
        resident: likewise.
    """
    from indexer.index import Index

    return Index.open(
        path or settings.index, store=store, resident=resident, tenant=settings.tenant,
        server=server_of(settings, path),
    )  # fmt: skip


def look_at_index(settings: Settings) -> Index:
    """Open the index to read what is in it, of all tenants. It is not searched: no server is asked."""
    from indexer.index import Index

    return Index.open(settings.index, resident=False)


def open_writer(settings: Settings, *, takes_over: bool = False) -> IndexWriter:
    """Open the index to change it; see ``IndexWriter.open``.

    Args:
        settings: of the run.
        takes_over: see ``QdrantConnection``.

    Raises:
        UsageProblem: nothing to take over, for no server is known.
    """
    from indexer.writer import IndexWriter

    server = server_of(settings)
    if takes_over and server is None:
        raise UsageProblem("--replace takes a name on a Qdrant server over: name the server, --qdrant-url.")
    if takes_over and server is not None:
        server = replace(server, takes_over=True)
    return IndexWriter.open(settings.index, server=server)
