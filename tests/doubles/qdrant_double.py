"""A double of a Qdrant server: its REST interface over HTTP, on the loopback, over the embedded engine.

It stands in for a server where none can be installed. It speaks the wire format (the models of Qdrant's own
client check every request and make every answer), not the clustering, the optimisers or gRPC.
"""

from __future__ import annotations

import json
import re
import socket
import socketserver
import struct
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import qdrant_edge as edge
from pydantic import TypeAdapter, ValidationError
from qdrant_client.http import models as m
from qdrant_shards import Collections, RefusedError
from server_faults import Fault, FaultPlan

FULL = "Service internal error: No space left on device: WAL buffer size exceeds available disk space"
BODY_LIMIT = 32 << 20
MEMORY = Path("/dev/shm")  # noqa: S108 (no name in it is guessed)


def folder_in_memory() -> tempfile.TemporaryDirectory[str]:
    """A new folder where the system keeps files in memory, if it does: flushing one takes no time there."""
    return tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)


class QdrantDouble:
    """Listens from ``with`` on; ``url`` says where.

    Its shards lie in memory where the system has a folder there: the engine flushes every file it makes.

    Args:
        version: that it says it is.
        api_key: may do everything; None lets everybody in.
        read_only_key: may read.

    ``searches`` are the queries so far, in the JSON in which they came.
    """

    def __init__(
        self,
        *,
        version: str = "1.16.0",
        api_key: str | None = None,
        read_only_key: str | None = None,
        port: int = 0,
    ) -> None:
        self._folder = folder_in_memory()
        self.collections = Collections(Path(self._folder.name))
        self.plan = FaultPlan()
        self.version = version
        self.searches: list[dict[str, Any]] = []
        self.keys = {key: may for key, may in ((api_key, "all"), (read_only_key, "read")) if key}
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.double = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.collections.close()
        self._folder.cleanup()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    double: QdrantDouble

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news."""


@dataclass(frozen=True)
class _Call:
    """One request: the collection or alias it names, its other words, its body."""

    double: QdrantDouble
    words: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def name(self) -> str:
        return self.words["name"]

    def read(self, kind: Any) -> Any:
        """The body as one of the client's models."""
        try:
            return TypeAdapter(kind).validate_json(self.body or b"{}")
        except ValidationError as error:
            raise RefusedError(400, f"Format error in JSON body: {error.errors()[0]['msg']}") from error


def _with_collection(act: Callable[[Any, _Call], Any]) -> Callable[[_Call], Any]:
    def locked(call: _Call) -> Any:
        collection = call.double.collections.get(call.name)
        with collection.lock:
            if call.double.collections.named.get(call.name, collection) is not collection:
                raise RefusedError(404, f"Not found: Collection `{call.name}` doesn't exist!")
            return act(collection, call)

    return locked


def _batch(collection: Any, call: _Call) -> list[m.QueryResponse]:
    call.double.searches += json.loads(call.body)["searches"]
    return [collection.query(each) for each in call.read(m.QueryRequestBatch).searches]


def _delete(collection: Any, call: _Call) -> m.UpdateResult:
    chosen = call.read(m.PointIdsList).points
    return collection.update(edge.UpdateOperation.delete_points([str(each) for each in chosen]))


def _payload(kind: str) -> Callable[[Any, _Call], m.UpdateResult]:
    def act(collection: Any, call: _Call) -> m.UpdateResult:
        asked = call.read(m.SetPayload)
        ids = [str(each) for each in asked.points or []]
        return collection.update(getattr(edge.UpdateOperation, f"{kind}_payload")(ids, asked.payload))

    return act


def _update_metadata(collection: Any, call: _Call) -> bool:
    given = call.read(m.UpdateCollection).metadata or {}
    merged = {**collection.metadata, **given}
    collection.metadata = {key: value for key, value in merged.items() if value is not None}
    return True


def _list(call: _Call) -> m.CollectionsResponse:
    names = sorted(call.double.collections.named)
    return m.CollectionsResponse(collections=[m.CollectionDescription(name=each) for each in names])


def _aliases(call: _Call) -> m.CollectionsAliasesResponse:
    pairs = sorted(call.double.collections.aliases.items())
    return m.CollectionsAliasesResponse(
        aliases=[m.AliasDescription(alias_name=alias, collection_name=name) for alias, name in pairs]
    )


def _exists(call: _Call) -> m.CollectionExistence:
    there = call.double.collections
    return m.CollectionExistence(exists=there.aliases.get(call.name, call.name) in there.named)


_C = r"/collections/(?P<name>[^/]+)"
_READS = "read"
_WRITES = "all"
_ROUTES: list[tuple[str, str, str, Callable[[_Call], Any]]] = [
    ("GET", "/collections", _READS, _list),
    ("GET", "/aliases", _READS, _aliases),
    (
        "POST", "/collections/aliases", _WRITES,
        lambda call: call.double.collections.change_aliases(call.read(m.ChangeAliasesOperation)),
    ),
    ("GET", f"{_C}/exists", _READS, _exists),
    ("GET", _C, _READS, _with_collection(lambda it, _: it.info())),
    (
        "PUT", _C, _WRITES,
        lambda call: call.double.collections.create(call.name, call.read(m.CreateCollection)),
    ),
    ("PATCH", _C, _WRITES, _with_collection(_update_metadata)),
    ("DELETE", _C, _WRITES, lambda call: call.double.collections.delete(call.name)),
    ("PUT", f"{_C}/index", _WRITES, _with_collection(lambda it, c: it.index(c.read(m.CreateFieldIndex)))),
    ("PUT", f"{_C}/points", _WRITES, _with_collection(lambda it, c: it.upsert(c.read(m.PointsList)))),
    ("POST", f"{_C}/points", _READS, _with_collection(lambda it, c: it.retrieve(c.read(m.PointRequest)))),
    ("POST", f"{_C}/points/delete", _WRITES, _with_collection(_delete)),
    ("POST", f"{_C}/points/payload", _WRITES, _with_collection(_payload("set"))),
    ("PUT", f"{_C}/points/payload", _WRITES, _with_collection(_payload("overwrite"))),
    ("POST", f"{_C}/points/query", _READS, _with_collection(lambda it, c: it.query(c.read(m.QueryRequest)))),
    ("POST", f"{_C}/points/query/batch", _READS, _with_collection(_batch)),
    ("POST", f"{_C}/points/count", _READS, _with_collection(lambda it, c: it.count(c.read(m.CountRequest)))),
    (
        "POST", f"{_C}/points/scroll", _READS,
        _with_collection(lambda it, c: it.scroll(c.read(m.ScrollRequest))),
    ),
]  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name it is called with)
        """Tests print nothing."""

    def do_GET(self) -> None:
        self._serve()

    do_PUT = do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 (the names they are called by)

    def _serve(self) -> None:
        double = self.server.double
        path = self.path.partition("?")[0]
        fault = double.plan.of(f"{self.command} {path}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if fault and fault.kind == "reset":
            self._reset()
            return
        if fault and fault.kind == "slow":
            time.sleep(fault.delay_s)
        status, answer, headers = _fault_answer(fault) or self._answer(path, body, fault)
        if fault and fault.kind == "applied_then_reset":
            self._reset()
            return
        content = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json"}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if fault and fault.kind == "cut":
            self.wfile.write(content[: len(content) // 2])
            self._reset()
            return
        self.wfile.write(content)

    def _answer(self, path: str, body: bytes, fault: Fault | None) -> tuple[int, Any, dict[str, str]]:
        double, started = self.server.double, time.perf_counter()
        if path == "/":  # open to everybody, as on a real one
            version = m.VersionInfo(title="qdrant - vector search engine", version=double.version)
            return 200, version.model_dump(), {}
        may = double.keys.get(self.headers.get("api-key")) if double.keys else "all"
        if may is None:
            return 401, "Must provide an API key or an Authorization bearer token", {}
        if len(body) > BODY_LIMIT:
            return 413, _status("Payload too large"), {}
        try:
            result = self._route(path, body, may, fault)
        except RefusedError as error:
            return error.status, _status(str(error)), {}
        return 200, {"result": result, "status": "ok", "time": time.perf_counter() - started}, {}

    def _route(self, path: str, body: bytes, may: str, fault: Fault | None) -> Any:
        for method, pattern, needs, act in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found and method == self.command:
                if needs == _WRITES and may != _WRITES:
                    raise RefusedError(403, "Forbidden: Write access is required")
                if fault and fault.kind == "swallowed":
                    return m.UpdateResult(operation_id=0, status=m.UpdateStatus.ACKNOWLEDGED).model_dump()
                result = act(_Call(self.server.double, found.groupdict(), body))
                return TypeAdapter(Any).dump_python(result, mode="json", exclude_none=True)
        raise RefusedError(404, "Not found")

    def _reset(self) -> None:
        # Lingering for no time makes close send a reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.wfile = _Nowhere()
        self.connection.close()


class _Nowhere(socketserver._SocketWriter):
    def __init__(self) -> None:
        """Takes what is written to a connection that is gone."""

    def write(self, content: bytes) -> int:
        return len(content)


def _fault_answer(fault: Fault | None) -> tuple[int, Any, dict[str, str]] | None:
    match fault.kind if fault else None:
        case "limited":
            headers = {"Retry-After": str(fault.retry_after_s)}
            return 429, _status("Rate limiting exceeded: Read rate limit exceeded"), headers
        case "failing":
            return 500, _status("Service internal error: task panicked"), {}
        case "unavailable":
            return 503, _status("Service unavailable"), {}
        case "full":
            return 500, _status(FULL), {}
        case "full_507":
            return 507, _status("Insufficient storage"), {}
        case _:
            return None


def _status(error: str) -> dict[str, Any]:
    return {"result": None, "status": {"error": error}, "time": 0.0}
