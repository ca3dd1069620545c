"""Embeddings to an index to the k nearest."""

from indexer.index import Index
from indexer.info import IndexInfo
from indexer.records import FileRecord, NewImage, Outcome
from indexer.stores import STORES
from indexer.verify import VerifyReport, verify_index
from indexer.writer import IndexWriter

__all__ = [
    "STORES",
    "FileRecord",
    "Index",
    "IndexInfo",
    "IndexWriter",
    "NewImage",
    "Outcome",
    "VerifyReport",
    "verify_index",
]
