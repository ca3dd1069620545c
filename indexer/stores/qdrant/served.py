"""The engine of a server, asked through its alias; what it names is looked up in the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import BackendError
from indexer.stores.approximate import ApproximateStore
from indexer.stores.qdrant.kept_columns import filterable, kept_in
from indexer.stores.qdrant.mark import SEARCH_THAT, Mark, check_owner, check_vectors, mark_of
from indexer.stores.qdrant.payload import TECHNICAL
from indexer.stores.qdrant.retry import ServerTroubleError
from indexer.stores.qdrant.search import EngineFinder
from indexer.stores.qdrant.server import QdrantServer, connect
from indexer.stores.qdrant.upload import content_of, is_of
from indexer.stores.store import INDEX_ID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from indexer.catalog import Catalog
    from indexer.manifest import StoreRef
    from indexer.storage.records import JSON
    from indexer.stores.qdrant.connection import QdrantConnection
    from indexer.stores.qdrant.points import Payload
    from indexer.stores.store import Generation

EF = 128
_MAKE_AGAIN = "Make it again: cbir index rebuild; to search without it: --store exact."
_DEEPEST = 1 << 14
_MAX_KNOWN = 200_000


def open_served(generation: Generation, ref: StoreRef, connection: QdrantConnection) -> ApproximateStore:
    """Connect, and look whether the collection is the index's own and whole.

    Raises:
        BackendError: the server can't be used, or holds something else.
        FingerprintError: the collection was built by another extractor.
    """
    server = connect(connection)
    try:
        mark = owned(server, generation)
        engine = ServedEngine(server, generation, is_current=mark.holds(generation.number))
        _check_whole(engine, mark, generation, connection)
    except BaseException:
        server.close()
        raise
    finder = EngineFinder(engine, max(1, ref.n_rows), EF, filterable(kept_in(ref.settings)))
    return ApproximateStore(generation.embeddings, finder, n_covered=ref.n_rows)


def owned(server: QdrantServer, generation: Generation) -> Mark:
    """The mark of the connection's collection, which must be there and be the index's own.

    Raises:
        BackendError: it is not there, is another index's, or holds other vectors.
        FingerprintError: it was built by another extractor.
    """
    connection = server.connection
    name = connection.collection or ""
    described = server.describe(name)
    if described is None:
        raise BackendError(f"There is no collection {name!r} on {connection.url}. {_MAKE_AGAIN}")
    mark = check_owner(described, connection, name, generation, SEARCH_THAT)
    check_vectors(described, connection, name, generation.embeddings.dim)
    return mark


def _check_whole(
    engine: ServedEngine, mark: Mark, generation: Generation, connection: QdrantConnection
) -> None:
    """Refuse a collection that lacks rows of the generation."""
    where = f"Collection {connection.collection!r} on {connection.url}"
    reached = max(mark.generation, mark.pending or 0)
    if reached < generation.number:
        raise BackendError(
            f"{where} holds generation {reached}, the index is at {generation.number}. {_MAKE_AGAIN}"
        )
    n_live = generation.embeddings.n_rows - generation.catalog.n_dead_rows()
    if mark.generation == generation.number and (n_points := engine.n_points()) < n_live:
        raise BackendError(f"{where} has {n_points} points, the index {n_live} embeddings. {_MAKE_AGAIN}")


class ServedEngine:
    """An ``Engine``. Points that the index does not know, of a later or an interrupted commit, are skipped.

    Args:
        server: asked under its connection's collection, an alias that may stand for another collection from
            one request to the next.
        generation: whose rows are named.
        is_current: whether the payloads were those of the generation when the store was opened.
    """

    def __init__(self, server: QdrantServer, generation: Generation, *, is_current: bool) -> None:
        self._server = server
        self._name = server.connection.collection or ""
        self._generation = generation
        self._index = generation.catalog.memo(INDEX_ID)
        self._is_current = is_current
        self._rows = _Rows(generation.catalog)

    def find(
        self, queries: NDArray[np.float32], depth: int, *, ef: int, condition: Mapping[str, JSON] | None
    ) -> list[NDArray[np.int64]]:
        """See ``Engine``.

        A writer may be changing payloads: a filter's answer counts only if the collection still holds this
        generation, finished, after it was given. Else the answer is one without the filter.
        """
        if condition is not None and self._is_current:
            found = self._find(queries, depth, ef, condition)
            described = self._server.describe(self._name)
            mark = mark_of(described.metadata) if described else None
            if mark is not None and mark.holds(self._generation.number):
                return found
            self._is_current = False
        return self._find(queries, depth, ef, None)

    def n_points(self) -> int:
        """See ``Engine``."""
        return self._server.count(self._name)

    def close(self) -> None:
        """See ``Engine``."""
        self._server.close()

    def _find(
        self, queries: NDArray[np.float32], depth: int, ef: int, condition: Mapping[str, JSON] | None
    ) -> list[NDArray[np.int64]]:
        answers = self._ask(queries, depth, max(ef, depth), condition)
        found = []
        for query, answer in zip(queries, answers, strict=True):
            rows, asked = self._rows.of(answer), depth
            while len(rows) < depth and len(answer) == asked < _DEEPEST:
                asked *= 2
                (answer,) = self._ask(query[np.newaxis], asked, asked, condition)  # noqa: PLW2901 (the same, longer)
                rows = self._rows.of(answer)
            found.append(rows[:depth])
        return found

    def _ask(
        self, queries: NDArray[np.float32], depth: int, ef: int, condition: Mapping[str, JSON] | None
    ) -> list[list[Payload]]:
        """The server's answers; refuses those of another index, which may have taken the name over."""
        try:
            answers = self._server.find(
                self._name, queries, depth, ef=ef, condition=condition, fields=[TECHNICAL]
            )
        except ServerTroubleError as error:
            if error.trouble.kind == "refused":
                owned(self._server, self._generation)  # of other vectors, it may be
            raise
        if not all(is_of(payload, self._index) for answer in answers for payload in answer):
            owned(self._server, self._generation)
            raise BackendError(
                f"Collection {self._name!r} on {self._server.connection.url} holds points of another index. "
                f"{_MAKE_AGAIN}"
            )
        return answers


class _Rows:
    """From points to rows; threads may share it."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._known: dict[tuple[str, int, int], int | None] = {}

    def of(self, answer: Sequence[Payload]) -> NDArray[np.int64]:
        """The rows of those points that the catalog knows."""
        rows = [self._row(content_of(payload)) for payload in answer if TECHNICAL in payload]
        return np.array([row for row in rows if row is not None], dtype=np.int64)

    def _row(self, content: tuple[str, int, int]) -> int | None:
        known = self._known
        if content not in known:
            if len(known) >= _MAX_KNOWN:
                self._known = known = {}
            sha256, frame, part = content
            query = "SELECT row FROM contents WHERE sha256 = ? AND frame = ? AND part = ?"
            found = self._catalog.rows(query, bytes.fromhex(sha256), frame, part)
            known[content] = found[0][0] if found else None
        return known[content]
