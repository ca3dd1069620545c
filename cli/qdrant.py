"""The Qdrant server that the settings speak of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cbir.errors import StoredIndexError
from cli.settings import Settings
from indexer.manifest import read_manifest
from indexer.stores.qdrant.connection import URL, CollectionOptions, QdrantConnection

Url = Annotated[
    str | None,
    typer.Option(
        "--qdrant-url",
        help="The Qdrant server that keeps the embeddings, http://host:6333 (default: CBIR_QDRANT_URL, "
        "else where the index says).",
    ),
]
Collection = Annotated[
    str | None,
    typer.Option(
        "--qdrant-collection", help="Under which name on the server (default: one of the index's own)."
    ),
]


def server_of(settings: Settings, path: Path | None = None) -> QdrantConnection | None:
    """The server that is set, or else the one on which an index says that its store is; None for neither.

    Args:
        settings: of the run.
        path: of another index than the settings': its collection is the one that it says.

    Raises:
        SpecError: an address or option that can't work.
    """
    is_other = path is not None and path != settings.index
    url = settings.qdrant_url or _url_of(path or settings.index)
    if url is None:
        return None
    return QdrantConnection(
        url,
        api_key=settings.qdrant_api_key,
        collection=None if is_other else settings.qdrant_collection,
        grpc_port=settings.qdrant_grpc_port,
        timeout_s=settings.qdrant_timeout_s,
        ca_file=settings.qdrant_ca_file,
        insecure_key=settings.qdrant_insecure_key,
        thumbnail_url=settings.qdrant_thumbnail_url,
        options=CollectionOptions(
            shards=settings.qdrant_shards,
            replicas=settings.qdrant_replicas,
            write_consistency=settings.qdrant_write_consistency,
            quantisation=settings.qdrant_quantisation,
        ),
    )


def _url_of(index: Path) -> str | None:
    try:
        url = read_manifest(index).store.settings.get(URL)
    except StoredIndexError:
        return None  # whoever opens it will say what is wrong
    return url if isinstance(url, str) else None
