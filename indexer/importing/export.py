"""An index from what `cbir index export` wrote: the same items, embeddings, parts and shared bytes."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import xxhash

from cbir.errors import SkipReason, VectorError
from cbir.extractors.imported import imported_spec
from indexer.asking.tenants import remember_tenant_column
from indexer.importing.target import check_same_import, open_target
from indexer.ingesting.account import Account, IngestOptions, IngestReport, ProgressListener, SourceList
from indexer.ingesting.memos import remember_sources
from indexer.ingesting.paced import PacedCommits
from indexer.ingesting.stopwatch import Stopwatch
from indexer.storage.records import FileRecord, NewImage

if TYPE_CHECKING:
    from pathlib import Path

    from cbir.types import Scalar
    from indexer.exporting.read import ExportedFile, ExportFile
    from indexer.stores.qdrant.connection import QdrantConnection
    from indexer.writer import IndexWriter


def import_export(
    path: Path,
    export: ExportFile,
    *,
    store: str = "faiss",
    server: QdrantConnection | None = None,
    options: IngestOptions | None = None,
    on_progress: ProgressListener | None = None,
) -> IngestReport:
    """Make an index of an export, or go on with one that was interrupted.

    The index has no networks and no thumbnails; tenants are kept apart as they were. Its fingerprint is made
    of the exported one: what was exported from one extractor can be compared, and is not taken for what the
    extractor itself would answer. An item's id is made of its path; so it is what it was, unless the file was
    moved since it got it.

    Args:
        path: of the index directory; an import of the same export that was interrupted is continued.
        export: as ``open_export`` gives it.
        store: one of ``indexer.stores.STORES``.
        server: where a store that can be served is to be, or is.
        options: ``commit_every_s`` is used.
        on_progress: called after every file; True asks to stop.

    Raises:
        ItemsError: an import of something else is there, or the rows are not in the order of an export.
        SpecError: no such store.
        FingerprintError: an index of another extractor is there.
        VectorError: the export is damaged; what was committed stays.
        StoredIndexError: locked, damaged, or the disk refused; what was committed stays.
    """
    spec = imported_spec(export.name, export.dim, sha256=export.fingerprint)
    with export.path.open("rb") as file:
        content = hashlib.file_digest(file, xxhash.xxh3_128).hexdigest()
    with open_target(path, spec, store, server) as writer:
        check_same_import(writer, {"export": content})
        remember_sources(writer, SourceList((os.path.abspath(export.path),)))  # noqa: PTH100 (as the other sources)
        if export.tenant_column:
            remember_tenant_column(writer, export.tenant_column)
        return _run(writer, export, options or IngestOptions(), on_progress)


def _run(
    writer: IndexWriter, export: ExportFile, options: IngestOptions, on_progress: ProgressListener | None
) -> IngestReport:
    started, account, watch = time.monotonic(), Account(), Stopwatch()
    commits = PacedCommits(writer, account, watch, every_s=options.commit_every_s, on_progress=on_progress)
    for exported in export.files():
        account.found += 1
        _take(writer, exported, account)
        if commits.is_due:
            commits.commit()
        if commits.tell():
            break
    commits.commit()
    with watch.stage("store"):
        writer.build_store()
    return account.report(time.monotonic() - started, watch.seconds())


def _take(writer: IndexWriter, exported: ExportedFile, account: Account) -> None:
    record = FileRecord(exported.path, 0, 0, exported.sha256, "indexed")
    before = writer.file(exported.path)
    if before is not None and before.sha256 == exported.sha256:
        account.unchanged += 1
        return
    said = _said_of_all(exported)
    is_copy = writer.has_content(exported.sha256)
    images = [
        NewImage(
            exported.sha256,
            image.frame,
            np.stack(image.vectors),
            b"",
            image.pixels_sha256,
            info={name: value for name, value in image.metadata.items() if name not in said},
            boxes=tuple(image.boxes),
        )
        for image in exported.images
    ]
    try:
        writer.add_file(record, images, label=exported.label, group=exported.group, metadata=said)
    except VectorError as error:
        record = replace(record, outcome="skipped", reason=SkipReason.BAD_EMBEDDING, detail=str(error))
        account.skipped_files.append(record)
        writer.skip_file(record)
        return
    if is_copy:
        account.duplicate += 1
    else:
        account.indexed += 1
        account.images += len(images)


def _said_of_all(exported: ExportedFile) -> dict[str, Scalar]:
    """What a path's frames have in common: what a person said of it is always in there.

    The rest is what the file says of a frame, and the same for every copy of its bytes.
    """
    first, *others = (image.metadata for image in exported.images)
    return {name: value for name, value in first.items() if all(each.get(name) == value for each in others)}
