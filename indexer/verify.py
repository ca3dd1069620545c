"""Checking an index from end to end."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import IndexDamagedError
from indexer.manifest import Manifest, read_manifest
from indexer.storage.opened import Opened, open_generation
from indexer.storage.sealed import check_file
from indexer.storage.vectors import LENGTH_TOLERANCE
from indexer.stores import STORES, Generation
from indexer.stores.exact import ExactStore

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from indexer.embeddings import Embeddings
    from indexer.stores.qdrant.connection import QdrantConnection

_SEED = 20240501
_SAMPLE = 64
_DEPTH = 10
_CHUNK_ROWS = 1 << 14
_FLAT_RECALL = 0.999
_INVERTED_RECALL = 0.95

_NONE_OF = {
    "items have no embedding": (
        "SELECT count(*) FROM items WHERE row NOT IN (SELECT row FROM contents WHERE part = 0)"
    ),
    "embeddings do not follow the first part of their image": (
        "SELECT count(*) FROM contents p LEFT JOIN contents h ON h.row = p.head "
        "WHERE p.row != p.head + p.part OR (h.sha256, h.frame, h.part) IS NOT (p.sha256, p.frame, 0)"
    ),
    "embeddings have no item and are not marked for it": (
        "SELECT count(*) FROM contents c WHERE NOT EXISTS (SELECT 1 FROM items WHERE row = c.head) "
        "AND row NOT IN (SELECT row FROM dead_rows)"
    ),
    "embeddings have an item and are marked as if they had none": (
        "SELECT count(*) FROM dead_rows d JOIN contents c ON c.row = d.row "
        "WHERE EXISTS (SELECT 1 FROM items WHERE row = c.head)"
    ),
}
"""What a sound catalog has none of, and how it is counted."""


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was checked, and what is wrong.

    Args:
        findings: one line each; none when all is well.
        n_files: files compared with their checksums.
        n_rows: embeddings looked at.
        n_items: items counted.
        n_queries: embeddings searched for in the store and exactly.
    """

    findings: tuple[str, ...]
    n_files: int = 0
    n_rows: int = 0
    n_items: int = 0
    n_queries: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def verify_index(path: Path, *, server: QdrantConnection | None = None) -> VerifyReport:
    """Check the newest generation: files, counts, embeddings, and the store against exact search.

    Args:
        path: of the index directory.
        server: of its store, where that is on one; None goes where the index says, without a key.

    Raises:
        BackendError: that server can't be asked.
        IndexMissingError: nothing is there.
        IndexDamagedError: the manifest itself is damaged; anything else is a finding.
    """
    manifest, findings = _check_files(path)
    report = VerifyReport(tuple(findings), n_files=len(manifest.files) + 1)
    if findings:
        return report
    try:
        opened = open_generation(path)
    except IndexDamagedError as error:
        return replace(report, findings=(str(error),))
    try:
        findings = _check_rows(opened)
        n_queries, wrong = _check_store(path, opened, server)
    except IndexDamagedError as error:
        return replace(report, findings=(*findings, str(error)))
    finally:
        opened.catalog.close()
    return VerifyReport(
        (*findings, *wrong), report.n_files, opened.manifest.n_rows, opened.manifest.n_items, n_queries
    )


def _check_files(path: Path) -> tuple[Manifest, list[str]]:
    while True:
        manifest = read_manifest(path)
        findings = []
        for name, seal in manifest.files.items():
            try:
                check_file(path / name, seal)
            except FileNotFoundError:
                findings.append(f"{str(path / name)!r} is missing.")
            except IndexDamagedError as error:
                findings.append(str(error))
        if not findings or read_manifest(path).generation == manifest.generation:
            return manifest, findings


def _check_rows(opened: Opened) -> list[str]:
    findings = []
    manifest, catalog = opened.manifest, opened.catalog
    blocks = sum(block.n_rows for block in manifest.blocks)
    counts = {"catalog": catalog.n_contents(), "manifest": manifest.n_rows, "blocks": blocks}
    if len(set(counts.values())) > 1:
        findings.append(f"Embeddings are counted differently: {counts}.")
    if catalog.n_items() != manifest.n_items:
        findings.append(f"The manifest counts {manifest.n_items} items, the catalog {catalog.n_items()}.")
    findings += [f"{n} {what}." for what, query in _NONE_OF.items() if (n := catalog.rows(query)[0][0])]
    wrong = _of_other_length(opened.embeddings)
    if len(wrong):
        findings.append(f"{len(wrong)} embeddings are not of length 1, the first is {wrong[0]}.")
    return findings


def _of_other_length(embeddings: Embeddings) -> NDArray[np.int64]:
    wrong = [np.empty(0, dtype=np.int64)]
    for first_row, block in embeddings.blocks():
        for start in range(0, len(block), _CHUNK_ROWS):
            chunk = block[start : start + _CHUNK_ROWS]
            lengths = np.sqrt(np.vecdot(chunk, chunk, dtype=np.float64))
            outside = np.flatnonzero(~(np.abs(lengths - 1) <= LENGTH_TOLERANCE))
            wrong.append(outside + first_row + start)
    return np.concatenate(wrong)


def _check_store(path: Path, opened: Opened, server: QdrantConnection | None) -> tuple[int, list[str]]:
    manifest, embeddings = opened.manifest, opened.embeddings
    if not embeddings.n_rows:
        return 0, []
    rng = np.random.default_rng(_SEED)
    sample = rng.choice(embeddings.n_rows, min(_SAMPLE, embeddings.n_rows), replace=False)
    queries = embeddings.gather(np.sort(sample))
    generation = Generation(
        path, manifest.fingerprint, embeddings, opened.catalog, number=manifest.generation, server=server
    )
    with closing(STORES[manifest.store.kind].open(generation, manifest.store, opened.store_files)) as store:
        found = store.search(queries, _DEPTH)
    truth = ExactStore(embeddings).search(queries, _DEPTH)
    # By score, not by row: rows that tie may be found in any order.
    hits = sum(
        int(np.count_nonzero(mine.scores >= true.scores[-1] - 1e-5))
        for mine, true in zip(found, truth, strict=True)
    )
    recall = hits / sum(len(true.scores) for true in truth)
    is_approximate = bool(manifest.store.files or manifest.store.settings)
    least = _INVERTED_RECALL if is_approximate else _FLAT_RECALL
    if recall < least:
        return len(sample), [
            f"The store finds {recall:.3f} of the true neighbours, {least} is the least: build it again."
        ]
    return len(sample), []
