"""Embeddings to an index to the k nearest."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.importing.embedding_file import EmbeddingFile, open_embeddings
    from indexer.importing.embeddings import import_embeddings
    from indexer.index import Index
    from indexer.info import IndexInfo
    from indexer.storage.records import FileRecord, NewImage, Outcome
    from indexer.stores import STORES
    from indexer.verify import VerifyReport, verify_index
    from indexer.writer import IndexWriter

__all__ = [
    "STORES",
    "EmbeddingFile",
    "FileRecord",
    "Index",
    "IndexInfo",
    "IndexWriter",
    "NewImage",
    "Outcome",
    "VerifyReport",
    "import_embeddings",
    "open_embeddings",
    "verify_index",
]

_ROOMS = {
    "STORES": "stores",
    "EmbeddingFile": "importing.embedding_file",
    "FileRecord": "storage.records",
    "Index": "index",
    "IndexInfo": "info",
    "IndexWriter": "writer",
    "NewImage": "storage.records",
    "Outcome": "storage.records",
    "VerifyReport": "verify",
    "import_embeddings": "importing.embeddings",
    "open_embeddings": "importing.embedding_file",
    "verify_index": "verify",
}


def __getattr__(name: str) -> object:
    # Who only searches does not pay for what writes.
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
