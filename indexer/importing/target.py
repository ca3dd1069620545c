"""The index that embeddings are imported into."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from cbir.errors import FingerprintError, IndexMissingError, ItemsError
from indexer.writer import IndexWriter

if TYPE_CHECKING:
    from pathlib import Path

    from cbir.extractors.spec import ExtractorSpec
    from indexer.storage.records import JSON
    from indexer.stores.qdrant.connection import QdrantConnection

_MEMO = "import"


def open_target(path: Path, spec: ExtractorSpec, store: str, server: QdrantConnection | None) -> IndexWriter:
    """The writer of a new index, or of one that holds embeddings of the same kind.

    Raises:
        BackendError: the server can't be used; known before the work.
        FingerprintError: an index of another extractor is there.
        StoredIndexError: locked, damaged, or the disk refused.
    """
    try:
        writer = IndexWriter.open(path, server=server)
    except IndexMissingError:
        writer = IndexWriter.create(path, spec, lambda _: None, store=store, server=server)
    with ExitStack() as undo:
        undo.callback(writer.close)
        _check_same_extractor(writer, spec)
        if server is not None and writer.store.kind == store:
            writer.build_store(store)
        undo.pop_all()
    return writer


def check_same_import(writer: IndexWriter, identity: dict[str, JSON]) -> None:
    """Refuse to mix two imports in one index; remembers what the first one is of.

    Args:
        writer: of the index.
        identity: what must be the same for a second run to go on.

    Raises:
        ItemsError: an import of something else is there.
    """
    before = writer.memo(_MEMO)
    if before is None and next(writer.paths(), None) is None:  # new, or killed before its first commit
        writer.set_memo(_MEMO, identity)
    elif before != identity:
        known = before if isinstance(before, dict) else {}
        other = ", ".join(key for key, value in identity.items() if known.get(key) != value)
        raise ItemsError(
            f"Index {writer.path} holds an import already, of other files or options ({other}). "
            "Import into another directory, or give what it was made of to go on."
        )


def _check_same_extractor(writer: IndexWriter, spec: ExtractorSpec) -> None:
    if writer.spec.fingerprint != spec.fingerprint:
        raise FingerprintError(
            f"Index {writer.path} holds embeddings of {writer.spec.name} ({writer.spec.fingerprint[:8]}…), "
            f"now {spec.name} ({spec.fingerprint[:8]}…) is imported. Import into another directory."
        )
