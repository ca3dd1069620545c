"""``Index.search`` in a running program against the FAISS call that it wraps."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import faiss
import numpy as np

from cbir.extractors.spec import BranchSpec, ExtractorSpec, FusionSpec, WeightsRef
from cbir.images.settings import ReadSpec
from cbir.images.steps import Normalise, Resize
from cbir.types import Query
from indexer.index import Index
from indexer.storage.records import FileRecord, NewImage
from indexer.writer import IndexWriter
from tests.benchmarks.ratio import Ratio, take_turns

N, DIM, K, N_QUERIES = 1_400, 3_072, 10, 200


def measure(_shared: Path, rounds: int) -> Iterator[Ratio]:
    """The gallery of the super-ensemble paper in size: 1,400 × 3,072, seeded random unit vectors."""
    vectors = np.random.default_rng(0).standard_normal((N + N_QUERIES, DIM), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    gallery, queries = vectors[:N], vectors[N:]
    faiss.omp_set_num_threads(1)
    raw = faiss.IndexFlatIP(DIM)
    raw.add(gallery)
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder) / "bench.index", gallery)
        with Index.open(Path(folder) / "bench.index") as index:
            wrapped = [Query(query, index.fingerprint) for query in queries]

            def ours() -> None:
                for query in wrapped:
                    index.search(query, K)

            def theirs() -> None:
                for query in queries:
                    raw.search(query[None], K)

            ours()
            theirs()
            times = take_turns(ours, theirs, max(rounds, 15))
    ours_s, theirs_s = ([value / N_QUERIES for value in each] for each in times)
    yield Ratio(f"warm search, {N} x {DIM}, k = {K}", ours_s, theirs_s, ">= 0.83", "1.2 x the raw FAISS call")


def fill(
    path: Path,
    gallery: np.ndarray,
    *,
    labels: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
) -> None:
    preprocess = (Resize(224, 224), Normalise((0.5,) * 3, (0.5,) * 3))
    branch = BranchSpec("timm:none", WeightsRef("random", "0" * 64), preprocess, "model", gallery.shape[1])
    spec = ExtractorSpec("random", ReadSpec(), (branch,), FusionSpec())
    with IndexWriter.create(path, spec, lambda _folder: None) as writer:
        for number, row in enumerate(gallery):
            sha256 = f"{number:064x}"
            writer.add_file(
                FileRecord(f"{path}/{number}.png", 1, 1, sha256, "indexed"),
                [NewImage(sha256, 0, row, b"", sha256)],
                label=labels[number] if labels else None,
                group=groups[number] if groups else None,
            )
        writer.commit()
        writer.build_store()
