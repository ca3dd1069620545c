"""An index projected: the same items, each embedding through a fitted linear map, no image touched."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import IndexWriteError, SpecError
from cbir.extractors.fusion import unit_rows
from cbir.extractors.projection import PROJECTION, write_projection
from cbir.extractors.spec import ProjectionSpec
from indexer.embeddings import FLOAT, vectors_name
from indexer.formats import FORMAT
from indexer.ingesting.precision import forget_precision
from indexer.manifest import MODEL, now, write_manifest
from indexer.storage.durable import refused, seal_in_place, write_file
from indexer.storage.held import hold_generation
from indexer.storage.staging import staged
from indexer.writer import IndexWriter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from cbir.extractors.projection import Projection
    from cbir.extractors.spec import ExtractorSpec
    from indexer.storage.held import Held

_CHUNK_ROWS = 4096


def projected_spec(spec: ExtractorSpec, projection: Projection) -> ExtractorSpec:
    """The extractor that gives what this one gives, projected.

    Raises:
        SpecError: it embeds nothing, projects already, averages tiles (whose vectors are projected before
            the mean), or gives vectors of another dimension than the projection takes.
    """
    if not spec.can_embed or spec.projection is not None:
        why = "holds imported vectors" if not spec.can_embed else "projects its vectors already"
        raise SpecError(f"Extractor {spec.name!r} {why}: project the index of one that does not.")
    if spec.tiles is not None and spec.tiles.keep == "mean":
        raise SpecError(
            f"Extractor {spec.name!r} averages tiles, and a projection comes before the mean: fit a page "
            "with `cbir extractor whiten`, and build an index with it."
        )
    if projection.n_in != spec.dim:
        raise SpecError(
            f"The projection takes vectors of {projection.n_in} numbers, extractor {spec.name!r} gives "
            f"{spec.dim}; fit one for it."
        )
    named = ProjectionSpec(PROJECTION, projection.sha256, projection.dim)
    return replace(spec, name=f"{spec.name}-projected", projection=named)


def project_index(source: Path, target: Path, projection: Projection) -> None:
    """Write an index whose embeddings are those of another one, projected; then build its store.

    The vectors are those that embedding the images anew with the projected extractor gives, to float32's
    rounding, and so is the fingerprint. Items keep their ids, labels and thumbnails, and the index its
    memory of its sources: it can be updated like the other. The directory appears when it is whole.

    Args:
        source: an index directory; only read.
        target: where the new one will be; must not be there, or be an empty folder.
        projection: of vectors of the source's dimension.

    Raises:
        SpecError: see ``projected_spec``.
        IndexWriteError: something is at the target, or the disk refused.
        IndexLockedError: another process writes to the same target.
        StoredIndexError: the source is missing, damaged, or of an older format.
        VectorError: a row that the projection makes zero.
    """
    held = hold_generation(source, with_store=False)
    if held.manifest.format < FORMAT:
        raise IndexWriteError(
            f"{str(source)!r} is of format {held.manifest.format}, this version projects format {FORMAT}: "
            "compact it first, which brings it up to date."
        )
    spec = projected_spec(held.manifest.extractor_spec(), projection)
    with staged(target) as staging:
        _fill(staging, held, spec, projection)
    with IndexWriter.open(target) as writer:
        forget_precision(writer)
        writer.build_store()


def _fill(staging: Path, held: Held, spec: ExtractorSpec, projection: Projection) -> None:
    """Write everything but the store, the manifest last."""
    manifest = held.manifest
    blocks = {vectors_name(block.name): block for block in manifest.blocks}
    files = {}
    for name, file in held.files.items():
        if block := blocks.get(name):
            rows = np.frombuffer(file.content(), FLOAT).reshape(block.n_rows, manifest.dim)
            files[name] = write_file(staging / name, _projected(rows, projection))
        else:
            files[name] = write_file(staging / name, [file.content()])
    fitted = staging / MODEL / PROJECTION
    with refused(fitted):
        fitted.parent.mkdir(exist_ok=True)
        write_projection(fitted, projection)
    files[f"{MODEL}/{PROJECTION}"] = seal_in_place(fitted)
    moment = now()
    described = replace(
        manifest, spec=spec.to_dict(), fingerprint=spec.fingerprint, dim=spec.dim, created=moment,
        updated=moment, files=files,
    )  # fmt: skip
    write_manifest(staging, described)


def _projected(rows: NDArray[np.float32], projection: Projection) -> Iterator[bytes]:
    for start in range(0, len(rows), _CHUNK_ROWS):
        projected = unit_rows(projection.apply(rows[start : start + _CHUNK_ROWS]))
        yield projected.astype(FLOAT, copy=False).tobytes()
