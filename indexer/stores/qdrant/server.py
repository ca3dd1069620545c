"""A Qdrant server, and as much of its interface as is used.

Every request may be repeated: names are used once, ids are made from content, and every write is waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from cbir.errors import BackendError
from indexer.stores.qdrant.client import open_client
from indexer.stores.qdrant.layout import layout
from indexer.stores.qdrant.points import in_requests
from indexer.stores.qdrant.retry import Patience, ServerTroubleError, insist

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from qdrant_client import QdrantClient

    from indexer.storage.records import JSON
    from indexer.stores.qdrant.connection import QdrantConnection
    from indexer.stores.qdrant.points import Payload, Point

LEAST_VERSION = (1, 16)
"""The first whose collections carry metadata."""

_SEARCH_PATIENCE_S = 5.0
_PAGE = 4096
_MAX_QUERIES = 64
_NOT_FOUND, _CONFLICT = 404, 409
_WITHOUT_IT = "To search without it: --store exact."
_AGAIN = "The index is as it was at its last commit; run again to go on."

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Described:
    """What a server says of a collection.

    Args:
        dim: of its vectors; 0 where it has no single unnamed one.
        distance: ``Dot``, ``Cosine``, …
        metadata: as whoever made it wrote it.
    """

    dim: int
    distance: str
    metadata: Payload


def connect(connection: QdrantConnection, *, writes: bool = False) -> QdrantServer:
    """Open a client and look at the server's version.

    Args:
        connection: where, and how long to be patient.
        writes: for a writer, whose reads are as patient as its writes, and end in the same advice.

    Raises:
        BackendError: it is away, too old, no Qdrant, or refuses the key.
    """
    server = QdrantServer(open_client(connection), connection, writes=writes)
    try:
        server.check_version()
    except BaseException:
        server.close()
        raise
    return server


class QdrantServer:
    """Requests to one server; threads may share it.

    Args:
        client: of the vendor's library, over whatever it likes.
        connection: for messages, and how long to be patient.
        writes: see ``connect``.
    """

    def __init__(self, client: QdrantClient, connection: QdrantConnection, *, writes: bool) -> None:
        searching = Patience(min(connection.patience_s, _SEARCH_PATIENCE_S), _WITHOUT_IT)
        self._client = client
        self.connection = connection
        self._writing = Patience(connection.patience_s, _AGAIN)
        self._reading = self._writing if writes else searching

    def check_version(self) -> str:
        """The server's version.

        Raises:
            BackendError: less than LEAST_VERSION, or the server can't be asked.
        """
        said = self._read("say its version", self._client.info).version
        least = ".".join(map(str, LEAST_VERSION))
        try:
            version = tuple(int(number) for number in said.split(".")[:2])
        except ValueError:
            version = ()
        if version < LEAST_VERSION:
            raise BackendError(
                f"Qdrant at {self.connection.url} is version {said}, {least}.0 is the least that cbir works "
                "with. Update the server."
            )
        return said

    def describe(self, name: str) -> Described | None:
        """What there is under a name or alias; None for nothing."""
        from qdrant_client.http.models import VectorParams

        try:
            info = self._read("describe a collection", partial(self._client.get_collection, name))
        except ServerTroubleError as error:
            if error.trouble.status == _NOT_FOUND or "doesn't exist" in error.trouble.detail:
                return None
            raise
        params = info.config.params.vectors
        dim, distance = (params.size, params.distance.value) if isinstance(params, VectorParams) else (0, "")
        return Described(dim, distance, info.config.metadata or {})

    def target(self, alias: str) -> str | None:
        """The collection that an alias stands for, if it is one."""
        answer = self._read("list aliases", self._client.get_aliases)
        return next((each.collection_name for each in answer.aliases if each.alias_name == alias), None)

    def names(self, start: str) -> list[str]:
        """The collections whose name starts so."""
        answer = self._read("list collections", self._client.get_collections)
        return [each.name for each in answer.collections if each.name.startswith(start)]

    def create(self, name: str, dim: int, n_points: int, metadata: Payload) -> None:
        """Make a collection, for about so many points, under a name that was never used."""
        settings = layout(self.connection.options, dim, n_points)
        make = partial(self._client.create_collection, name, metadata=dict(metadata), **settings)
        try:
            self._write("make a collection", make)
        except ServerTroubleError as error:
            # The answer to the first attempt was lost.
            if error.trouble.status != _CONFLICT and "already exists" not in error.trouble.detail:
                raise

    def mark(self, name: str, metadata: Payload) -> None:
        """Merge into the metadata of a collection; None takes a key out."""
        self._write(
            "update a collection", partial(self._client.update_collection, name, metadata=dict(metadata))
        )

    def index_field(self, name: str, key: str, form: Mapping[str, JSON]) -> None:
        """Make an index over a field of the payload, its form in the JSON of Qdrant's REST interface."""
        from pydantic import TypeAdapter
        from qdrant_client.http.models import PayloadSchemaParams

        schema = TypeAdapter(PayloadSchemaParams).validate_python(form)
        make = partial(self._client.create_payload_index, name, key, schema, wait=True)
        self._write("index a field", make)

    def upsert(self, name: str, points: Iterable[Point]) -> int:
        """Insert or replace points, in requests of bounded size; how many."""
        from qdrant_client.http.models import PointStruct

        n_points = 0
        for batch in in_requests(points):
            structs = [
                PointStruct(id=each.id, vector=each.vector.tolist(), payload=dict(each.payload))
                for each in batch
            ]
            self._write("write points", partial(self._client.upsert, name, structs, wait=True))
            n_points += len(batch)
        return n_points

    def delete(self, name: str, ids: Sequence[str]) -> None:
        """Remove points; those that are not there are no trouble."""
        from qdrant_client.http.models import PointIdsList

        for start in range(0, len(ids), _PAGE):
            some = PointIdsList(points=list(ids[start : start + _PAGE]))
            self._write("delete points", partial(self._client.delete, name, some, wait=True))

    def count(self, name: str) -> int:
        """How many points there are, exactly."""
        answer = self._read("count points", partial(self._client.count, name, exact=True))
        return answer.count

    def ids(self, name: str) -> Iterator[str]:
        """Every point's id."""
        offset = None
        while True:
            page = partial(
                self._client.scroll, name, limit=_PAGE, offset=offset, with_payload=False, with_vectors=False
            )
            records, offset = self._read("list points", page)
            yield from (str(each.id) for each in records)
            if offset is None:
                return

    def swap(self, alias: str, name: str) -> None:
        """Let an alias stand for a collection from one request to the next."""
        from qdrant_client.http import models as m

        actions: list[m.CreateAliasOperation | m.DeleteAliasOperation] = []
        if self.target(alias):
            actions.append(m.DeleteAliasOperation(delete_alias=m.DeleteAlias(alias_name=alias)))
        made = m.CreateAlias(alias_name=alias, collection_name=name)
        actions.append(m.CreateAliasOperation(create_alias=made))
        self._write("set an alias", partial(self._client.update_collection_aliases, actions))

    def drop(self, name: str) -> None:
        """Remove a collection and all that is in it."""
        self._write("drop a collection", partial(self._client.delete_collection, name))

    def find(
        self,
        name: str,
        queries: NDArray[np.float32],
        depth: int,
        *,
        ef: int,
        condition: Mapping[str, JSON] | None,
        fields: Sequence[str],
    ) -> list[list[Payload]]:
        """These fields of the points nearest to each query, nearest first."""
        from qdrant_client.http import models as m

        chosen = m.Filter.model_validate(condition) if condition else None
        asked = [
            m.QueryRequest(
                query=query, limit=depth, filter=chosen, with_payload=list(fields),
                params=m.SearchParams(hnsw_ef=ef),
            )
            for query in queries.tolist()
        ]  # fmt: skip
        found: list[list[Payload]] = []
        for start in range(0, len(asked), _MAX_QUERIES):
            some = asked[start : start + _MAX_QUERIES]
            answers = self._read("search", partial(self._client.query_batch_points, name, some))
            found += [[point.payload or {} for point in answer.points] for answer in answers]
        return found

    def close(self) -> None:
        """Close the connections; twice is fine."""
        self._client.close()

    def _read(self, what: str, act: Callable[[], Result]) -> Result:
        return insist(act, self._reading, self.connection, what)

    def _write(self, what: str, act: Callable[[], object]) -> None:
        insist(act, self._writing, self.connection, what)
