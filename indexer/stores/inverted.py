"""The inverted file: the nearest cells name candidates, the embeddings give the scores.

Cells and codes are FAISS IVF with 8-bit scalar codes. How many cells a query visits is measured when the
file is built: enough that a sample of the gallery's own rows finds its true neighbours.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from indexer.durable import DurableFile
from indexer.stores.exact import ExactStore, nearest, score
from indexer.stores.store import Built, Neighbours
from indexer.stores.vendor import FaissIndex, find, load_faiss, selector

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from indexer.embeddings import Embeddings
    from indexer.manifest import StoreRef
    from indexer.sealed import SealedFile

FILE = "ivf_sq8.faiss"
TARGET_RECALL = 0.99
"""Recall@10 that the build asks of the candidates, after their scores were made exact."""

_SEED = 20240501
_SAMPLE = 256
_TRAIN_PER_CELL = 64
_TRAIN_ITERATIONS = 10
_RECALL_DEPTH = 10
_FEW_ROWS = 4096
_FEW_SHARE = 0.02
_LOAD_LOCK = threading.Lock()


class InvertedStore:
    """Searches the file for the rows it covers, and the rows added since exactly."""

    def __init__(self, embeddings: Embeddings, ref: StoreRef, file: SealedFile) -> None:
        n_cells = ref.settings["n_probe"]
        if not isinstance(n_cells, int):
            raise TypeError(f"n_probe must be a whole number, not {n_cells!r}")
        self._embeddings = embeddings
        self._index = _load(file)
        self._n_covered = ref.n_rows
        self._n_probe = n_cells
        self._tail = ExactStore(embeddings, first_row=ref.n_rows)

    def search(
        self, queries: NDArray[np.float32], k: int, *, allowed: NDArray[np.bool_] | None = None
    ) -> list[Neighbours]:
        """See ``Store``. Scores are exact; that no better row was overlooked is likely, not certain."""
        n_rows = self._embeddings.n_rows
        n_eligible = n_rows if allowed is None else int(np.count_nonzero(allowed))
        if allowed is not None and n_eligible <= max(_FEW_ROWS, n_rows * _FEW_SHARE):
            rows = np.flatnonzero(allowed)
            return [score(self._embeddings, query, rows, k) for query in queries]
        depth = min(self._n_covered, 4 * k + 32)
        found = _candidates(self._index, queries, depth, self._n_probe, allowed)
        tails = self._tail.search(queries, k, allowed=allowed)
        answers = []
        for query, candidates, tail in zip(queries, found, tails, strict=True):
            best = nearest([score(self._embeddings, query, candidates[candidates >= 0], k), tail], k)
            if len(best.rows) < min(k, n_eligible):
                best = ExactStore(self._embeddings).search(query[np.newaxis], k, allowed=allowed)[0]
            answers.append(best)
        return answers


def build(embeddings: Embeddings, directory: Path, folder: str) -> Built:
    """Train, fill, measure and write an inverted file over every row."""
    faiss = load_faiss()
    rng = np.random.default_rng(_SEED)
    n_rows, dim = embeddings.n_rows, embeddings.dim
    n_cells = max(1, min(int(4 * n_rows**0.5), n_rows // 39))
    quantizer = faiss.IndexFlatIP(dim)
    index: FaissIndex = faiss.IndexIVFScalarQuantizer(
        quantizer, dim, n_cells, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.niter, index.cp.seed = _TRAIN_ITERATIONS, _SEED
    chosen = rng.choice(n_rows, min(n_rows, _TRAIN_PER_CELL * n_cells), replace=False)
    index.train(embeddings.gather(np.sort(chosen)))
    for _, block in embeddings.blocks():
        index.add(block)
    n_probe, recall = _choose_n_probe(index, embeddings, rng)
    name = f"{folder}/{FILE}"
    with DurableFile(directory / name) as file:
        _dump(index, file.write)
        seal = file.seal()
    settings = {"n_cells": n_cells, "n_probe": n_probe, "recall_at_10": recall}
    return Built({name: seal}, n_rows, settings)


def _choose_n_probe(index: FaissIndex, embeddings: Embeddings, rng: np.random.Generator) -> tuple[int, float]:
    """The fewest cells, by doubling, that reach the target recall; and that recall."""
    sample = np.sort(rng.choice(embeddings.n_rows, min(_SAMPLE, embeddings.n_rows), replace=False))
    queries = embeddings.gather(sample)
    depth = _RECALL_DEPTH + 1  # a row of the sample finds itself first: that one does not count
    truth = ExactStore(embeddings).search(queries, depth)
    n_probe = 4
    while True:
        n_probe = min(n_probe, index.nlist)
        found = _candidates(index, queries, min(embeddings.n_rows, 4 * depth + 32), n_probe, None)
        hits = total = 0
        for row, query, candidates, true in zip(sample, queries, found, truth, strict=True):
            mine = score(embeddings, query, candidates[candidates >= 0], depth).rows
            wanted = true.rows[true.rows != row]
            hits += len(np.intersect1d(mine, wanted))
            total += len(wanted)
        recall = hits / total if total else 1.0
        if recall >= TARGET_RECALL or n_probe == index.nlist:
            return n_probe, round(recall, 4)
        n_probe *= 2


def _candidates(
    index: FaissIndex,
    queries: NDArray[np.float32],
    depth: int,
    n_probe: int,
    allowed: NDArray[np.bool_] | None,
) -> NDArray[np.int64]:
    chosen = {} if allowed is None else {"sel": selector(allowed)}
    parameters = load_faiss().SearchParametersIVF(nprobe=n_probe, **chosen)
    return find(index, queries, depth, params=parameters)[1]


def _dump(index: FaissIndex, write: Callable[[bytes], None]) -> None:
    faiss = load_faiss()
    refusal: list[Exception] = []

    def pass_on(content: bytes) -> int:
        # FAISS would report any error of ours as one of its own.
        try:
            write(content)
        except Exception as error:  # noqa: BLE001
            refusal.append(error)
            return 0
        return len(content)

    try:
        faiss.write_index(index, faiss.PyCallbackIOWriter(pass_on))
    except RuntimeError:
        if refusal:
            raise refusal[0] from None
        raise
    if refusal:
        raise refusal[0]


def _load(file: SealedFile) -> FaissIndex:
    faiss = load_faiss()
    content = file.content()
    start = 0

    def read(size: int) -> bytes:
        nonlocal start
        chunk = bytes(content[start : start + size])
        start += len(chunk)
        return chunk

    with _LOAD_LOCK:  # the limit is global
        before = faiss.get_deserialization_vector_byte_limit()
        faiss.set_deserialization_vector_byte_limit(len(content))
        try:
            index: FaissIndex = faiss.read_index(faiss.PyCallbackIOReader(read))
        finally:
            faiss.set_deserialization_vector_byte_limit(before)
    return index
