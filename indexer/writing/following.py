"""A writer's commits, followed by the store that lives on a server, where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.manifest import StoreRef
from indexer.stores import STORES, Generation, LiveStore

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from indexer.catalog import Catalog
    from indexer.manifest import Manifest
    from indexer.stores.qdrant.connection import QdrantConnection
    from indexer.writing.pending import Pending

_NOTE = (
    "CREATE TEMP TRIGGER {name} AFTER {event} ON items BEGIN INSERT OR IGNORE INTO touched VALUES {rows}; END"
)
_TOUCHED = (
    "CREATE TEMP TABLE touched (head INTEGER PRIMARY KEY)",
    _NOTE.format(name="touched_by_insert", event="INSERT", rows="(NEW.row)"),
    _NOTE.format(name="touched_by_update", event="UPDATE", rows="(OLD.row), (NEW.row)"),
    _NOTE.format(name="touched_by_delete", event="DELETE", rows="(OLD.row)"),
)
"""The heads whose items changed since the last commit, noted while there is a store to follow."""


class Following:
    """Tells the store of every commit; does nothing for one that is files.

    Args:
        path: of the index.
        catalog: the writer's.
        connection: of the catalog.
        ref: of the store that the index has.
        server: where its store is, or one may be made; None for where the index says.
    """

    def __init__(
        self,
        path: Path,
        catalog: Catalog,
        connection: sqlite3.Connection,
        ref: StoreRef,
        server: QdrantConnection | None,
    ) -> None:
        self._path = path
        self._catalog = catalog
        self._connection = connection
        self._server = server
        self._is_watching = False
        self._live: LiveStore | None = None
        self._follow(STORES[ref.kind].live(ref, server))

    @property
    def is_live(self) -> bool:
        """Whether the index's store is on a server."""
        return self._live is not None

    def can_serve(self, kind: str) -> bool:
        """Whether a store of this kind can be made on the server that is known."""
        return STORES[kind].live(None, self._server) is not None

    def fill(self, kind: str, manifest: Manifest, pending: Pending) -> StoreRef:
        """Make the store on the server from every row; for the generation that is published next."""
        live = self._live or STORES[kind].live(None, self._server)
        if live is None:
            raise ValueError(f"No server is known for a store {kind!r}.")
        self._follow(live)
        return live.fill(self._generation(manifest, pending))

    def prepare(self, manifest: Manifest, pending: Pending) -> StoreRef:
        """Before a generation is published: its store."""
        if self._live is None:
            return manifest.store
        heads = [head for (head,) in self._catalog.rows("SELECT head FROM touched")]
        return self._live.prepare(self._generation(manifest, pending), heads)

    def finish(self, manifest: Manifest, pending: Pending) -> None:
        """After a generation was published."""
        if self._live is None:
            return
        if not STORES[manifest.store.kind].live(manifest.store, self._server):
            self.close()  # the index has another store now; the collection stays on its server
            self._live = None
            return
        self._live.finish(self._generation(manifest, pending))
        self.forget()

    def settle(self, manifest: Manifest, pending: Pending) -> None:
        """Look whether the store is what the published generation says; mend it where it is not."""
        if self._live is not None:
            self._live.settle(self._generation(manifest, pending))

    def forget(self) -> None:
        """What changed since the last commit is known to the store, or is nothing to it."""
        if self._is_watching:
            self._connection.execute("DELETE FROM touched")

    def close(self) -> None:
        """Let go of connections."""
        if self._live is not None:
            self._live.close()

    def _follow(self, live: LiveStore | None) -> None:
        self._live = live
        if live is not None and not self._is_watching:
            for statement in _TOUCHED:
                self._connection.execute(statement)
            self._is_watching = True

    def _generation(self, manifest: Manifest, pending: Pending) -> Generation:
        return Generation(
            self._path,
            manifest.fingerprint,
            pending.embeddings(),
            self._catalog,
            number=manifest.generation,
            server=self._server,
        )


def new_index_id() -> str:
    """What a store elsewhere knows an index by, kept in the memo INDEX_ID."""
    import uuid

    return uuid.uuid4().hex
