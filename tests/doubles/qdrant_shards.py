"""What the double of a Qdrant server keeps: collections over real shards of the embedded engine, and aliases.

Requests and answers are the models of Qdrant's client, so that a field it does not know, or one of the wrong
type, is refused as the server would.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import qdrant_edge as edge
from qdrant_client.http import models as m

Payload = dict[str, Any]


class RefusedError(Exception):
    """What the server answers instead of a result."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Collection:
    """One collection: a shard, its parameters and its metadata. Callers hold ``lock``."""

    def __init__(self, folder: Path, request: m.CreateCollection) -> None:
        vectors = request.vectors
        if not isinstance(vectors, m.VectorParams):
            raise RefusedError(400, "Wrong input: the double knows one unnamed vector a point")
        self.lock = threading.Lock()
        self.metadata: Payload = dict(request.metadata or {})
        self.request = request
        self.schema: dict[str, m.PayloadSchemaType] = {}
        self.operation = 0
        self._folder = folder
        config = edge.EdgeVectorParams(size=vectors.size, distance=getattr(edge.Distance, vectors.distance))
        self.shard = edge.EdgeShard.create(str(folder), edge.EdgeConfig(vectors=config))

    def update(self, operation: edge.UpdateOperation) -> m.UpdateResult:
        """Apply an operation; what the engine refuses is the client's fault."""
        try:
            self.shard.update(operation)
        except Exception as error:
            raise RefusedError(400, f"Wrong input: {error}") from error
        self.operation += 1
        return m.UpdateResult(operation_id=self.operation, status=m.UpdateStatus.COMPLETED)

    def upsert(self, request: m.PointsList) -> m.UpdateResult:
        """Insert or replace points."""
        points = [
            edge.Point(_id(each.id), _plain_vector(each.vector), each.payload or {})
            for each in request.points
        ]
        return self.update(edge.UpdateOperation.upsert_points(points))

    def index(self, request: m.CreateFieldIndex) -> m.UpdateResult:
        """Index a field of the payload."""
        schema = request.field_schema
        kind = schema if isinstance(schema, m.PayloadSchemaType) else m.PayloadSchemaType(schema.type.value)
        made = getattr(edge.PayloadSchemaType, kind.value.capitalize())
        result = self.update(edge.UpdateOperation.create_field_index(request.field_name, made))
        self.schema[request.field_name] = kind
        return result

    def query(self, request: m.QueryRequest) -> m.QueryResponse:
        """Find the nearest points."""
        vector = request.query.nearest if isinstance(request.query, m.NearestQuery) else request.query
        if not isinstance(vector, list):
            raise RefusedError(400, "Wrong input: the double answers nearest queries only")
        size = self.request.vectors.size
        if len(vector) != size:
            raise RefusedError(
                400, f"Wrong input: Vector dimension error: expected dim: {size}, got {len(vector)}"
            )
        found = self.shard.query(
            edge.QueryRequest(
                limit=10 if request.limit is None else request.limit,
                query=edge.Query.Nearest(vector),
                filter=edge_filter(request.filter) if request.filter else None,
                with_payload=bool(request.with_payload),
                params=edge.SearchParams(exact=bool(request.params and request.params.exact)),
            )
        )
        points = [
            m.ScoredPoint(
                id=str(each.id), version=each.version, score=each.score,
                payload=each.payload if request.with_payload else None,
            )
            for each in found
        ]  # fmt: skip
        return m.QueryResponse(points=points)

    def count(self, request: m.CountRequest) -> m.CountResult:
        """Count points."""
        chosen = edge_filter(request.filter) if request.filter else None
        return m.CountResult(count=self.shard.count(edge.CountRequest(exact=True, filter=chosen)))

    def scroll(self, request: m.ScrollRequest) -> m.ScrollResult:
        """Page through the points."""
        records, following = self.shard.scroll(
            edge.ScrollRequest(
                offset=None if request.offset is None else _id(request.offset),
                limit=10 if request.limit is None else request.limit,
                filter=edge_filter(request.filter) if request.filter else None,
                with_payload=request.with_payload is None or bool(request.with_payload),
                with_vector=bool(request.with_vector),
            )
        )
        points = [_record(each, with_payload=request.with_payload is not False) for each in records]
        return m.ScrollResult(points=points, next_page_offset=None if following is None else str(following))

    def retrieve(self, request: m.PointRequest) -> list[m.Record]:
        """Get points by id."""
        found = self.shard.retrieve([_id(each) for each in request.ids], True, bool(request.with_vector))
        return [_record(each, with_payload=request.with_payload is not False) for each in found]

    def info(self) -> m.CollectionInfo:
        """What the server says about a collection."""
        request = self.request
        indexed = {name: m.PayloadIndexInfo(data_type=kind, points=0) for name, kind in self.schema.items()}
        params = m.CollectionParams(
            vectors=request.vectors,
            shard_number=request.shard_number or 1,
            replication_factor=request.replication_factor or 1,
            write_consistency_factor=request.write_consistency_factor or 1,
        )
        config = m.CollectionConfig(
            params=params,
            hnsw_config=m.HnswConfig(m=16, ef_construct=100, full_scan_threshold=10_000),
            optimizer_config=m.OptimizersConfig(default_segment_number=0, flush_interval_sec=5),
            metadata=self.metadata or None,
        )
        return m.CollectionInfo(
            status=m.CollectionStatus.GREEN, optimizer_status=m.OptimizersStatusOneOf.OK,
            points_count=self.shard.info().points_count, segments_count=1, config=config,
            payload_schema=indexed,
        )  # fmt: skip

    def close(self) -> None:
        """Forget everything."""
        self.shard.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class Collections:
    """The collections and aliases of one server; its lock guards the names."""

    def __init__(self, folder: Path) -> None:
        self.lock = threading.Lock()
        self.named: dict[str, Collection] = {}
        self.aliases: dict[str, str] = {}
        self._folder = folder
        self._n_made = 0

    def get(self, name: str) -> Collection:
        """The collection of a name or alias."""
        with self.lock:
            found = self.named.get(self.aliases.get(name, name))
        if found is None:
            raise RefusedError(404, f"Not found: Collection `{name}` doesn't exist!")
        return found

    def create(self, name: str, request: m.CreateCollection) -> bool:
        """Make a collection."""
        with self.lock:
            if name in self.named or name in self.aliases:
                raise RefusedError(409, f"Wrong input: Collection `{name}` already exists!")
            self._n_made += 1
            self.named[name] = Collection(self._folder / f"{self._n_made}", request)
        return True

    def delete(self, name: str) -> bool:
        """Drop a collection, with its aliases."""
        with self.lock:
            found = self.named.pop(name, None)
            self.aliases = {alias: of for alias, of in self.aliases.items() if of != name}
        if found:
            with found.lock:
                found.close()
        return found is not None

    def change_aliases(self, request: m.ChangeAliasesOperation) -> bool:
        """All actions, or none."""
        with self.lock:
            changed = dict(self.aliases)
            for action in request.actions:
                self._apply(changed, action)
            self.aliases = changed
        return True

    def _apply(self, aliases: dict[str, str], action: m.AliasOperations) -> None:
        if isinstance(action, m.CreateAliasOperation):
            made = action.create_alias
            if made.collection_name not in self.named:
                raise RefusedError(404, f"Not found: Collection `{made.collection_name}` doesn't exist!")
            if made.alias_name in self.named:
                raise RefusedError(409, f"Wrong input: Collection `{made.alias_name}` already exists!")
            aliases[made.alias_name] = made.collection_name
        elif isinstance(action, m.DeleteAliasOperation):
            aliases.pop(action.delete_alias.alias_name, None)
        else:
            raise RefusedError(400, "Wrong input: the double does not rename aliases")

    def close(self) -> None:
        """Close every shard."""
        for name in list(self.named):
            self.delete(name)


def edge_filter(asked: m.Filter) -> edge.Filter:
    """The embedded engine's form of a filter."""
    if asked.min_should:
        raise RefusedError(400, "Wrong input: the double does not know min_should")
    return edge.Filter(
        must=_conditions(asked.must), should=_conditions(asked.should), must_not=_conditions(asked.must_not)
    )


def _conditions(asked: Any) -> list[Any] | None:
    if asked is None:
        return None
    return [_condition(each) for each in (asked if isinstance(asked, list) else [asked])]


def _condition(asked: Any) -> Any:
    if isinstance(asked, m.Filter):
        return edge_filter(asked)
    if isinstance(asked, m.HasIdCondition):
        return edge.HasIdCondition({_id(each) for each in asked.has_id})
    if isinstance(asked, m.IsEmptyCondition):
        return edge.IsEmptyCondition(asked.is_empty.key)
    if isinstance(asked, m.IsNullCondition):
        return edge.IsNullCondition(asked.is_null.key)
    if isinstance(asked, m.FieldCondition) and asked.match is not None:
        return edge.FieldCondition(asked.key, match=_match(asked.match))
    if isinstance(asked, m.FieldCondition) and isinstance(asked.range, m.Range):
        bounds = asked.range
        return edge.FieldCondition(
            asked.key, range=edge.RangeFloat(gte=bounds.gte, gt=bounds.gt, lte=bounds.lte, lt=bounds.lt)
        )
    raise RefusedError(400, f"Wrong input: the double does not know the condition {asked!r}")


def _match(asked: Any) -> Any:
    if isinstance(asked, m.MatchValue):
        # The engine takes Python's True for the number 1, but NumPy's for a truth.
        return edge.MatchValue(np.bool_(asked.value) if isinstance(asked.value, bool) else asked.value)
    if isinstance(asked, m.MatchAny):
        return edge.MatchAny(list(asked.any))
    if isinstance(asked, m.MatchExcept):
        return edge.MatchExcept(list(asked.except_))
    raise RefusedError(400, f"Wrong input: the double does not know the match {asked!r}")


def _record(record: edge.Record, *, with_payload: bool) -> m.Record:
    payload = record.payload if with_payload else None
    return m.Record(id=str(record.id), payload=payload, vector=record.vector)


def _plain_vector(vector: Any) -> Sequence[float]:
    if isinstance(vector, list):
        return vector
    raise RefusedError(400, "Wrong input: the double knows one unnamed dense vector a point")


def _id(asked: Any) -> int | str:
    return asked if isinstance(asked, int) else str(asked)
