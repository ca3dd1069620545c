"""Where the tests find a server: the double over HTTP, the client's local mode, a real one."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from qdrant_double import QdrantDouble

from indexer.stores.qdrant import server as server_module
from indexer.stores.qdrant.connection import QdrantConnection
from indexer.stores.qdrant.live import ServedCollection
from indexer.stores.qdrant.served import open_served
from indexer.stores.store import Generation, Store

REAL_URL = "CBIR_TEST_QDRANT_URL"
REAL_KEY = "CBIR_TEST_QDRANT_API_KEY"


@contextlib.contextmanager
def over_http() -> Iterator[QdrantConnection]:
    """The double: Qdrant's wire models over the embedded engine."""
    with QdrantDouble() as double:
        yield QdrantConnection(double.url, patience_s=2.0, timeout_s=10)


@contextlib.contextmanager
def in_local_mode() -> Iterator[QdrantConnection]:
    """The client's own imitation of a server, in this process: slow, and written by Qdrant."""
    from qdrant_client import QdrantClient
    from qdrant_client.http.exceptions import UnexpectedResponse

    client = QdrantClient(":memory:")
    get_collection = client.get_collection

    def get_as_a_server_does(name: str) -> object:
        if not client.collection_exists(name):
            raise UnexpectedResponse(404, "Not Found", b"{}", httpx.Headers())
        return get_collection(name)

    query_batch_points = client.query_batch_points

    def query_without_a_warning(name: str, requests: list[object]) -> object:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Local mode performs exact")
            return query_batch_points(name, requests)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server_module, "open_client", lambda _: client)
        patch.setattr(client, "get_collection", get_as_a_server_does)
        patch.setattr(client, "query_batch_points", query_without_a_warning)
        patch.setattr(client, "close", lambda: None)  # another connection of the test goes on with it
        patch.setattr(client, "create_payload_index", lambda *_, **__: None)  # it has none, and warns
        yield QdrantConnection("http://127.0.0.1:6333")


@contextlib.contextmanager
def on_a_real_server() -> Iterator[QdrantConnection]:
    """The server at CBIR_TEST_QDRANT_URL; what the tests made there is dropped."""
    url = os.environ.get(REAL_URL)
    if not url:
        pytest.skip(f"no Qdrant server: set {REAL_URL} (and {REAL_KEY}) to run this against one")
    connection = QdrantConnection(url, api_key=os.environ.get(REAL_KEY))
    server = server_module.connect(connection)
    before = set(server.names("cbir-"))
    try:
        yield connection
    finally:
        for name in set(server.names("cbir-")) - before:
            server.drop(name)
        server.close()


PLACES = {
    "qdrant over HTTP": over_http,
    "qdrant in local mode": in_local_mode,
    "qdrant on a real server": on_a_real_server,
}


def served(connection: QdrantConnection, generation: Generation) -> Store:
    """A store over all rows of a generation, as a writer makes it and a reader opens it."""
    live = ServedCollection(connection, None)
    try:
        ref = live.fill(generation)
        live.finish(generation)
    finally:
        live.close()
    return open_served(generation, ref, replace(connection, collection=str(ref.settings["collection"])))
