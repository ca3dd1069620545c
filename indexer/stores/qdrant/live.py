"""A collection on a server, kept as the index is: filled, followed commit by commit, made anew, swapped in.

What a commit adds is there before the commit is published, what it removes goes after: a writer that is
killed in between leaves points that no reader knows, and none too few. The next writer sees by the mark that
the last one did not finish, and compares everything.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cbir.errors import BackendError
from indexer.manifest import StoreRef
from indexer.stores.qdrant.connection import COLLECTION, URL
from indexer.stores.qdrant.kept_columns import Kept, filterable, kept_in, learn, merged
from indexer.stores.qdrant.mark import CHOOSE, Mark, check_owner, mark_of
from indexer.stores.qdrant.payload import indexes
from indexer.stores.qdrant.search import COLUMNS
from indexer.stores.qdrant.served import owned
from indexer.stores.qdrant.server import QdrantServer, connect
from indexer.stores.qdrant.upload import items_of_rows, live_ids, live_rows, points_of, rows_of_heads
from indexer.stores.store import INDEX_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from indexer.storage.records import JSON
    from indexer.stores.qdrant.connection import QdrantConnection
    from indexer.stores.store import Generation

KIND = "qdrant"
_TENANT = "tenant_column"
_ID_DIGITS = 12


@dataclass(frozen=True, slots=True)
class _Unfinished:
    """What is left to do once a generation is published.

    Args:
        mark: of the collection before.
        dead: ids of points to delete.
        kept: ids of all that stay, where what else is there must be looked for.
        looks_around: whether other collections may have been left.
    """

    mark: Mark
    dead: Sequence[str] = ()
    kept: Collection[str] | None = None
    looks_around: bool = False


class ServedCollection:
    """The collection of one index, as its writer sees it; see ``LiveStore``."""

    def __init__(self, connection: QdrantConnection, ref: StoreRef | None) -> None:
        """Take where it is, and what the manifest says of it; nothing is asked before it must be."""
        self._connection = connection
        self._ref = ref or StoreRef(KIND)
        self._name = ""
        self._server: QdrantServer | None = None
        self._unfinished: _Unfinished | None = None

    def fill(self, generation: Generation) -> StoreRef:
        """See ``LiveStore``."""
        index_id = str(generation.catalog.memo(INDEX_ID))
        if self._connection.collection is None:
            self._connection = replace(self._connection, collection=f"cbir-{index_id[:_ID_DIGITS]}")
        server = self._open()
        replaced = self._check_free(server, generation)
        rows = live_rows(generation.catalog)
        columns = learn(items_of_rows(generation.catalog, rows))
        mark = Mark(
            index_id, generation.fingerprint, generation.number - 1, generation.number, replaced=replaced
        )
        self._name = f"{self._alias}-{generation.number:08d}-{secrets.token_hex(4)}"
        known = {key: value for key, value in mark.to_metadata().items() if value is not None}
        server.create(self._name, generation.embeddings.dim, len(rows), known)
        self._index(server, generation, columns, {})
        self._upsert(server, generation, rows)
        server.swap(self._alias, self._name)
        self._unfinished = _Unfinished(mark, looks_around=True)
        return self._described(generation, columns)

    def prepare(self, generation: Generation, heads: Sequence[int]) -> StoreRef:
        """See ``LiveStore``."""
        server, before = self._open(), generation.number - 1
        mark = self._look(server, generation, before)
        return self._bring(server, generation, mark, heads if mark.holds(before) else None)

    def finish(self, generation: Generation) -> None:
        """See ``LiveStore``."""
        left, self._unfinished = self._unfinished, None
        if left is None:
            return
        server = self._open()
        server.delete(self._name, left.dead)
        if left.kept is not None:
            server.delete(self._name, [each for each in server.ids(self._name) if each not in left.kept])
        n_points, n_live = server.count(self._name), _n_live(generation)
        if n_points != n_live:
            raise self._miscounted(n_points, n_live)
        if left.looks_around:
            self._drop_others(server, left.mark)
        done = Mark(left.mark.index, left.mark.fingerprint, generation.number, n_points=n_points)
        server.mark(self._name, done.to_metadata())

    def settle(self, generation: Generation) -> None:
        """See ``LiveStore``."""
        server = self._open()
        mark = self._look(server, generation, generation.number)
        if not mark.holds(generation.number):
            self._bring(server, generation, mark, None)
            self.finish(generation)

    def close(self) -> None:
        """See ``LiveStore``."""
        if self._server is not None:
            self._server.close()

    @property
    def _alias(self) -> str:
        return self._connection.collection or ""

    def _open(self) -> QdrantServer:
        if self._server is None:
            self._server = connect(self._connection, writes=True)
        return self._server

    def _look(self, server: QdrantServer, generation: Generation, published: int) -> Mark:
        """What the collection says; refuses one that went on without this index."""
        mark = owned(server, generation)
        self._name = server.target(self._alias) or self._alias
        if mark.generation > published:
            raise BackendError(
                f"Collection {self._alias!r} on {self._connection.url} holds generation {mark.generation}, "
                f"the index is at {published}: another copy of the index went on, or this is an old one. "
                "Make the collection again from this one: cbir index rebuild."
            )
        return mark

    def _bring(
        self, server: QdrantServer, generation: Generation, mark: Mark, heads: Sequence[int] | None
    ) -> StoreRef:
        """Upload what these heads are now; everything where it is not known what is there."""
        server.mark(self._name, replace(mark, pending=generation.number).to_metadata())
        kept: set[str] | None = None
        dead: list[str] = []
        if heads is None:
            rows, kept = live_rows(generation.catalog), live_ids(generation.catalog)
        else:
            rows, dead = rows_of_heads(generation.catalog, heads)
        before = kept_in(self._ref.settings)
        columns = merged(before, learn(items_of_rows(generation.catalog, rows)))
        self._index(server, generation, columns, before)
        self._upsert(server, generation, rows)
        self._unfinished = _Unfinished(mark, dead, kept, looks_around=heads is None)
        return self._described(generation, columns)

    def _upsert(self, server: QdrantServer, generation: Generation, rows: NDArray[np.int64]) -> None:
        """Write points, and count what is there then: the server may say that it took what it dropped."""
        points = points_of(generation, rows, thumbnail_url=self._connection.thumbnail_url)
        server.upsert(self._name, points)
        n_points, n_live = server.count(self._name), _n_live(generation)
        if n_points < n_live:
            raise self._miscounted(n_points, n_live)

    def _index(
        self,
        server: QdrantServer,
        generation: Generation,
        columns: Mapping[str, Kept],
        before: Mapping[str, Kept],
    ) -> None:
        """Make the payload indexes that are not there yet, before the points that need them come."""
        tenant = generation.catalog.memo(_TENANT)
        wanted = dict(indexes(filterable(columns), tenant=tenant if isinstance(tenant, str) else None))
        there = dict(indexes(filterable(before))) if before else {}
        for key, form in wanted.items():
            if key not in there:
                server.index_field(self._name, key, form)

    def _check_free(self, server: QdrantServer, generation: Generation) -> str | None:
        """The alias may be new, the index's own, or one to take over: then, which other index's it was."""
        described = server.describe(self._alias)
        if described is None:
            return None
        mark = mark_of(described.metadata) if self._connection.takes_over else None
        if mark is None:
            mark = check_owner(described, self._connection, self._alias, generation, CHOOSE)
        if server.target(self._alias) is None:
            raise BackendError(
                f"{self._alias!r} on {self._connection.url} is a collection, where an alias is to be. Choose "
                "another name with --qdrant-collection."
            )
        return mark.replaced if mark.index == generation.catalog.memo(INDEX_ID) else mark.index

    def _drop_others(self, server: QdrantServer, mark: Mark) -> None:
        """Drop what the alias stood for before, another index's if so, and what killed writers left."""
        for name in server.names(f"{self._alias}-"):
            described = None if name == self._name else server.describe(name)
            other = mark_of(described.metadata) if described else None
            if other is not None and other.index in (mark.index, mark.replaced):
                server.drop(name)

    def _described(self, generation: Generation, columns: Mapping[str, Kept]) -> StoreRef:
        settings: dict[str, JSON] = {
            "engine": "server",
            URL: self._connection.url,
            COLLECTION: self._alias,
            COLUMNS: dict(columns),
        }
        self._ref = StoreRef(KIND, (), generation.embeddings.n_rows, settings)
        return self._ref

    def _miscounted(self, n_points: int, n_live: int) -> BackendError:
        return BackendError(
            f"Collection {self._alias!r} on {self._connection.url} has {n_points} points, the index {n_live} "
            "embeddings: the server lost some, or another program writes there. Run again to mend it."
        )


def _n_live(generation: Generation) -> int:
    return generation.embeddings.n_rows - generation.catalog.n_dead_rows()
