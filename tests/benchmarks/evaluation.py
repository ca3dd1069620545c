"""A whole evaluation against the search that it rests on."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cbir.evaluation.summary import summarise
from cbir.types import Query
from indexer.index import Index
from indexer.study import StudyPlan, study_index
from tests.benchmarks.ratio import Ratio, take_turns
from tests.benchmarks.warm_search import fill

N_GALLERY, N_QUERIES, DIM, K, N_AT_ONCE = 100_000, 10_000, 512, 10, 256
N_LABELS, N_PER_GROUP = 5, 4


def measure(_shared: Path, rounds: int) -> Iterator[Ratio]:
    """10,000 queries of 2,500 patients on 100,000 items of five labels, seeded random unit vectors."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((N_GALLERY + N_QUERIES, DIM), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    gallery, queries = vectors[:N_GALLERY], vectors[N_GALLERY:]
    with tempfile.TemporaryDirectory() as folder:
        paths = Path(folder) / "gallery.index", Path(folder) / "queries.index"
        for path, rows, prefix in zip(paths, (gallery, queries), ("g", "q"), strict=True):
            fill(path, rows, labels=_labels(rng, len(rows)), groups=_groups(prefix, len(rows)))
        with Index.open(paths[0]) as index, Index.open(paths[1]) as asking:
            wrapped = [Query(row, index.fingerprint) for row in queries]

            def ours() -> None:
                summarise(study_index(index, StudyPlan(k=K), asking=asking))

            def theirs() -> None:
                for start in range(0, N_QUERIES, N_AT_ONCE):
                    index.search_many(wrapped[start : start + N_AT_ONCE], K)

            theirs()
            before_mib = _peak_mib()
            times = take_turns(ours, theirs, rounds)
            more_mib = _peak_mib() - before_mib
    name = f"evaluate {N_QUERIES} x {N_GALLERY}, k = {K}"
    yield Ratio(name, *times, ">= 0.77", f"1.3 x the search alone; {more_mib:.0f} MiB more than it")


def _labels(rng: np.random.Generator, n: int) -> list[str]:
    return [f"l{number}" for number in rng.integers(N_LABELS, size=n).tolist()]


def _groups(prefix: str, n: int) -> list[str]:
    return [f"{prefix}{number // N_PER_GROUP}" for number in range(n)]


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
