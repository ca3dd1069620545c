"""An index from embeddings that someone else computed: every row of the items file is accounted for."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import xxhash

from cbir.ahead import ahead
from cbir.errors import ItemsError, SkipReason
from cbir.extractors.imported import imported_spec
from cbir.images.pool import DecodePool
from cbir.images.settings import ReadSpec
from indexer.importing.rows import Given, Seen, bytes_held, bytes_on_disk, look, picture
from indexer.importing.target import check_same_import, open_target
from indexer.ingesting.account import Account, IngestOptions, IngestReport, ProgressListener, SourceList
from indexer.ingesting.memos import remember_sources
from indexer.ingesting.paced import PacedCommits
from indexer.ingesting.stopwatch import Stopwatch
from indexer.storage.records import NewImage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cbir.items.table import Table
    from indexer.importing.embedding_file import EmbeddingFile
    from indexer.storage.records import JSON
    from indexer.stores.qdrant.connection import QdrantConnection
    from indexer.writer import IndexWriter

_OTHER_VECTOR = "copies of one image with another embedding: the first one's is kept; are the rows in order?"


def import_embeddings(
    path: Path,
    embeddings: EmbeddingFile,
    items: Table,
    *,
    name: str,
    sha256: str | None = None,
    store: str = "faiss",
    server: QdrantConnection | None = None,
    thumbnails: bool = False,
    options: IngestOptions | None = None,
    on_progress: ProgressListener | None = None,
) -> IngestReport:
    """Make an index of embeddings and the items file that says what they are of, or go on with one.

    Rows are brought to unit length. One that is not finite or zero is skipped as ``bad_embedding``. The
    images need not exist: an item whose image is not there is known by its path and its row. The index has
    no networks: it answers queries that are its own items, or an embedding of the same fingerprint.

    Args:
        path: of the index directory; an import of the same files that was interrupted is continued.
        embeddings: one a row of ``items``, in their order.
        items: as ``cbir.items.read_table`` gives them.
        name: of the network that made them; imports under one name, dim and sha256 are taken as comparable.
        sha256: of that network's weights file, where it is known.
        store: one of ``indexer.stores.STORES``.
        server: where a store that can be served is to be, or is.
        thumbnails: decode the images that are there, and keep a small picture of each.
        options: ``limits``, ``n_workers`` and ``commit_every_s`` are used.
        on_progress: called after every row; True asks to stop.

    Raises:
        ItemsError: another number of items than of embeddings, or an import of other files is there.
        SpecError: no name, no sha256, or no such store.
        FingerprintError: an index of another extractor is there.
        VectorError: the embeddings' file is damaged; what was committed stays.
        StoredIndexError: locked, damaged, or the disk refused; what was committed stays.
    """
    if embeddings.n_rows != len(items.rows):
        raise ItemsError(
            f"{embeddings.path} holds {embeddings.n_rows} embeddings, {items.path} has {len(items.rows)} "
            "rows. Give one row an embedding, in the same order."
        )
    spec = imported_spec(name, embeddings.dim, sha256=sha256)
    with open_target(path, spec, store, server) as writer:
        check_same_import(writer, _identity(embeddings, items, thumbnails=thumbnails))
        remember_sources(writer, SourceList((os.path.abspath(embeddings.path), items.path)))  # noqa: PTH100 (as the other sources)
        return _Import(writer, options or IngestOptions(), on_progress).run(
            embeddings, items, thumbnails=thumbnails
        )


def _identity(embeddings: EmbeddingFile, items: Table, *, thumbnails: bool) -> dict[str, JSON]:
    """What must be the same for a second run to go on: then every row has the embedding it had."""
    with embeddings.path.open("rb") as file:
        content = hashlib.file_digest(file, xxhash.xxh3_128).hexdigest()
    paths = xxhash.xxh3_128()
    for found in items.rows:
        paths.update(os.fsencode(found.path) + b"\0")
    return {
        "embeddings": content,
        "array": embeddings.array,
        "paths": paths.hexdigest(),
        "thumbnails": thumbnails,
    }


class _Import:
    """One run. ``run`` may be called once."""

    def __init__(
        self, writer: IndexWriter, options: IngestOptions, on_progress: ProgressListener | None
    ) -> None:
        self._writer = writer
        self._options = options
        self._account = Account()
        self._watch = Stopwatch()
        self._vectors: dict[str, int] = {}
        self._commits = PacedCommits(
            writer, self._account, self._watch, every_s=options.commit_every_s, on_progress=on_progress
        )

    def run(self, embeddings: EmbeddingFile, items: Table, *, thumbnails: bool) -> IngestReport:
        """Take every row, once, commit, and give the account."""
        started = time.monotonic()
        given = map(Given, items.rows, embeddings.rows())
        with ExitStack() as stack:
            for seen in self._seen(given, os.path.dirname(items.path), stack, thumbnails=thumbnails):  # noqa: PTH120 (names that are not UTF-8)
                self._take(seen)
                if self._account.interrupted:
                    break
        self._commits.commit()
        self._commits.tell()
        with self._watch.stage("store"):
            self._writer.build_store(device=self._options.device)
        return self._account.report(time.monotonic() - started, self._watch.seconds())

    def _seen(
        self, given: Iterator[Given], folder: str, stack: ExitStack, *, thumbnails: bool
    ) -> Iterator[Seen]:
        n_workers = self._options.n_workers or os.cpu_count() or 1
        depth, limits = 4 * n_workers, self._options.limits
        threads = stack.enter_context(ThreadPoolExecutor(2 * n_workers))
        looking = partial(look, folder=folder, limits=limits, keep=thumbnails, watch=self._watch)
        seen = ahead(threads, looking, given, depth, bytes_on_disk)
        if not thumbnails:
            return seen
        # Leaving by an error closes the pool first: that frees the threads which wait for a worker.
        pool = stack.enter_context(
            DecodePool(ReadSpec(), [], limits=self._options.limits, n_workers=n_workers)
        )
        drawing = partial(picture, pool=pool, watch=self._watch)
        return ahead(threads, drawing, map(self._without_known, seen), depth, bytes_held)

    def _without_known(self, seen: Seen) -> Seen:
        """Bytes that are in the index need no second picture."""
        return replace(seen, data=b"") if self._writer.has_content(seen.record.sha256 or "") else seen

    def _take(self, seen: Seen) -> None:
        self._account.found += 1
        if seen.note:
            self._account.notes[seen.note] += 1
        if isinstance(seen.vector, str):
            record = replace(
                seen.record, outcome="skipped", reason=SkipReason.BAD_EMBEDDING, detail=seen.vector
            )
            self._account.skipped_files.append(record)
            self._writer.skip_file(record)
        elif not self._is_unchanged(seen):
            self._add(seen, seen.vector)
        if self._commits.is_due:
            self._commits.commit()
        self._commits.tell()

    def _is_unchanged(self, seen: Seen) -> bool:
        found, record = seen.found, seen.record
        before = self._writer.file(record.path)
        if before is None or before.sha256 != record.sha256:
            return False
        self._account.unchanged += 1
        if (before.size, before.mtime_ns) != (record.size, record.mtime_ns):
            self._writer.note_file(replace(record, outcome=before.outcome))
        self._writer.update_annotations(
            record.path, label=found.label, group=found.group, metadata=found.metadata
        )
        return True

    def _add(self, seen: Seen, vector: NDArray[np.float32]) -> None:
        found, record, writer = seen.found, seen.record, self._writer
        sha256, mark = record.sha256 or "", hash(vector.tobytes())
        if any(path != found.path for path in writer.paths_with(sha256)):
            self._account.duplicate += 1
            if self._vectors.get(sha256, mark) != mark:
                self._account.notes[_OTHER_VECTOR] += 1
            record = replace(record, outcome="duplicate")
            writer.link_file(record, label=found.label, group=found.group, metadata=found.metadata)
            return
        if record.size:
            self._vectors[sha256] = mark
        image = NewImage(sha256, 0, vector, seen.thumbnail, seen.pixels_sha256 or sha256)
        writer.add_file(record, [image], label=found.label, group=found.group, metadata=found.metadata)
        self._account.indexed += 1
        self._account.images += 1
