"""Build an index from files and PACS, and keep it up to date: the doors to the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

from cbir.errors import FingerprintError, IndexMissingError
from cbir.extractors.exported import open_exported
from cbir.extractors.loading import LoadingEmbedder
from cbir.extractors.spec import ExtractorSpec
from cbir.items import Found, Refused, find_items
from cbir.items.dicomweb import PacsServers
from cbir.types import Embedder
from indexer.asking.tenants import notes_of_tenants, remember_tenant_column
from indexer.ingesting.account import IngestOptions, IngestReport, ProgressListener, SourceList
from indexer.ingesting.memos import (
    check_hash_key,
    remember_policy,
    remember_sources,
    remembered_policy,
    remembered_sources,
)
from indexer.ingesting.pipeline import Pipeline
from indexer.ingesting.precision import measure_once
from indexer.stores.qdrant.connection import QdrantConnection
from indexer.writer import IndexWriter


def build_index(
    path: Path,
    spec: ExtractorSpec,
    fill_model: Callable[[Path], None],
    sources: SourceList,
    options: IngestOptions | None = None,
    *,
    store: str = "faiss",
    server: QdrantConnection | None = None,
    embedder: Embedder | None = None,
    on_progress: ProgressListener | None = None,
) -> IngestReport:
    """Make an index of all images in ``sources``, or go on with one that was interrupted.

    Args:
        path: of the index directory; an index of the same extractor that is there is continued.
        spec: of the extractor.
        fill_model: writes its exported networks into the directory it is given; called for a new index only.
        sources: remembered, so that ``update_index`` needs none.
        options: how the run works.
        store: one of ``indexer.stores.STORES``, of a new index.
        server: where a store that can be served is to be, or is.
        embedder: runs the network in this run; None for OpenVINO over the exported one.
        on_progress: called after every file; True asks to stop.

    Raises:
        FingerprintError: an index of another extractor is there.
        ItemsError: the sources can't be used.
        StoredIndexError: locked, damaged, or the disk refused; what was acknowledged stays.
        BackendError: a PACS among the sources is away, or the store's server; likewise.
    """
    options = options or IngestOptions()
    with PacsServers(options.pacs) as pacs:
        _find([sources], path, [], pacs)  # fails before anything is made
    try:
        writer = IndexWriter.open(path, server=server)
    except IndexMissingError:
        writer = IndexWriter.create(path, spec, fill_model, store=store, server=server)
    with writer:
        _refuse_imported(writer)
        if writer.spec.fingerprint != spec.fingerprint:
            raise FingerprintError(
                f"Index {path} was built with {writer.spec.name} ({writer.spec.fingerprint[:8]}…), "
                f"now {spec.name} ({spec.fingerprint[:8]}…) was asked for. "
                "Build into another directory, or with the index's own extractor."
            )
        if server is not None and writer.store.kind == store:
            writer.build_store(store)  # a server that can't be used is known before the work
        return _ingest(writer, sources, options, embedder, on_progress)


def update_index(
    path: Path,
    sources: SourceList | None = None,
    options: IngestOptions | None = None,
    *,
    server: QdrantConnection | None = None,
    embedder: Embedder | None = None,
    on_progress: ProgressListener | None = None,
) -> IngestReport:
    """Bring an index up to date with its sources, with the networks that it carries.

    Args:
        path: of the index directory.
        sources: new ones, remembered beside the old; None looks again at all that are remembered.
        options: how the run works.
        server: of the store, where that is on one; None goes where the index says, without a key.
        embedder: runs the network in this run; None for OpenVINO over the index's own.
        on_progress: called after every file; True asks to stop.

    Raises:
        ItemsError: the sources can't be used.
        StoredIndexError: missing, locked, damaged, or the disk refused; what was acknowledged stays.
        BackendError: a PACS among the sources is away, or the store's server; likewise.
    """
    with IndexWriter.open(path, server=server) as writer:
        return _ingest(writer, sources, options, embedder, on_progress)


def _ingest(
    writer: IndexWriter,
    sources: SourceList | None,
    options: IngestOptions | None,
    embedder: Embedder | None,
    on_progress: ProgressListener | None,
) -> IngestReport:
    _refuse_imported(writer)
    options = options or IngestOptions()
    policy = replace(remembered_policy(writer), **options.policy)  # type: ignore[arg-type]  # ReadPolicy checks
    unmatched: list[str] = []
    check_hash_key(writer, options.hash_key)
    remember_policy(writer, policy)
    with PacsServers(options.pacs) as pacs:
        found = _find([sources] if sources else remembered_sources(writer), writer.path, unmatched, pacs)
        if options.tenant_column:
            remember_tenant_column(writer, options.tenant_column)
        if sources:
            remember_sources(writer, sources)
        # Files are read and decoded while the networks load.
        runs = embedder or LoadingEmbedder(writer.spec, partial(_open, writer.spec, writer.model_dir))
        measuring = measure_once(writer, runs, computed_in="torch" if embedder else None)
        report = Pipeline(writer, measuring, options, policy, pacs=pacs, on_progress=on_progress).run(found)
    notes = {**report.notes, **notes_of_tenants(writer)}
    return replace(report, unmatched_rows=tuple(unmatched), notes=notes)


def _refuse_imported(writer: IndexWriter) -> None:
    if not writer.spec.can_embed:
        raise FingerprintError(
            f"Index {writer.path} holds embeddings imported as {writer.spec.name} and no network to embed "
            "images with. Import again into another directory, or build an index of images."
        )


def _open(spec: ExtractorSpec, model_dir: Path) -> Embedder:
    return open_exported(spec, model_dir, runtime="openvino")


def _find(
    source_lists: Sequence[SourceList], index: Path, unmatched: list[str], pacs: PacsServers
) -> Iterator[Found | Refused]:
    """Check the sources now, walk them when read."""
    searches = [
        find_items(
            each.sources,
            labels=Path(each.labels) if each.labels else None,
            label_column=each.label_column,
            group_column=each.group_column,
            on_unmatched=unmatched.append,
            without=index,
            pacs=pacs,
        )
        for each in source_lists
    ]
    return chain.from_iterable(searches)
