"""Build an index from files, and keep it up to date: the doors to the pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cbir.errors import FingerprintError, IndexMissingError
from cbir.extractors.exported import open_exported
from cbir.extractors.spec import ExtractorSpec
from cbir.types import Embedder
from indexer.account import IngestOptions, IngestReport, ProgressListener, SourceList
from indexer.index import Index
from indexer.pipeline import Pipeline
from indexer.writer import IndexWriter

_SOURCES = "sources"


def build_index(
    path: Path,
    spec: ExtractorSpec,
    fill_model: Callable[[Path], None],
    sources: SourceList,
    options: IngestOptions | None = None,
    *,
    store: str = "faiss",
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
        store: one of ``indexer.stores.STORES``.
        embedder: runs the network in this run; None for OpenVINO over the exported one.
        on_progress: called after every file; True asks to stop.

    Raises:
        FingerprintError: an index of another extractor is there.
        ItemsError: the sources can't be used.
        StoredIndexError: locked, damaged, or the disk refused; what was acknowledged stays.
    """
    try:
        writer = IndexWriter.open(path)
    except IndexMissingError:
        writer = IndexWriter.create(path, spec, fill_model, store=store)
    with writer:
        if writer.spec.fingerprint != spec.fingerprint:
            raise FingerprintError(
                f"Index {path} was built with {writer.spec.name} ({writer.spec.fingerprint[:8]}…), "
                f"now {spec.name} ({spec.fingerprint[:8]}…) was asked for. "
                "Build into another directory, or drop --extractor."
            )
        return _ingest(writer, embedder or _engine(writer), sources, options, on_progress)


def update_index(
    path: Path,
    sources: SourceList | None = None,
    options: IngestOptions | None = None,
    *,
    on_progress: ProgressListener | None = None,
) -> IngestReport:
    """Bring an index up to date with its sources, with the networks that it carries.

    Args:
        path: of the index directory.
        sources: new ones, remembered beside the old; None looks again at all that are remembered.
        options: how the run works.
        on_progress: called after every file; True asks to stop.

    Raises:
        StoredIndexError: missing, locked, damaged, or the disk refused; what was acknowledged stays.
    """
    with IndexWriter.open(path) as writer:
        return _ingest(writer, _engine(writer), sources, options, on_progress)


def remembered_sources(index: Index | IndexWriter) -> list[SourceList]:
    """Where the items of an index come from."""
    memo = index.memo(_SOURCES)
    return (
        [SourceList.from_dict(each) for each in memo if isinstance(each, dict)]
        if isinstance(memo, list)
        else []
    )


def _engine(writer: IndexWriter) -> Embedder:
    return open_exported(writer.spec, writer.model_dir, runtime="openvino")


def _ingest(
    writer: IndexWriter,
    embedder: Embedder,
    sources: SourceList | None,
    options: IngestOptions | None,
    on_progress: ProgressListener | None,
) -> IngestReport:
    remembered = remembered_sources(writer)
    if sources is not None and sources not in remembered:
        remembered.append(sources)
        writer.set_memo(_SOURCES, [each.to_dict() for each in remembered])
    pipeline = Pipeline(writer, embedder, options or IngestOptions(), on_progress)
    return pipeline.run([sources] if sources else remembered)
