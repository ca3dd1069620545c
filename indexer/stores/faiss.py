"""FAISS: every row in memory up to FLAT_LIMIT (from HALF_LIMIT at half precision), then an inverted file.

An inverted file (8-bit codes) only names candidates; their scores come from the embeddings. Rows added
since it was built are searched exactly beside it. A filter that leaves few rows is searched exactly, too.
No FAISS object is changed once it answers: adding during a search crashes it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from indexer.stores import inverted
from indexer.stores.gpu import beside
from indexer.stores.half import HalfStore
from indexer.stores.store import Built, Generation, Neighbours, Store, StoreKind
from indexer.stores.vendor import FaissIndex, find, load_faiss, selector

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cbir.items.where import Condition
    from indexer.embeddings import Embeddings
    from indexer.manifest import StoreRef
    from indexer.storage.sealed import SealedFile

FLAT_LIMIT = 200_000
"""Up to this many rows all of them are compared, in memory; no files."""

HALF_LIMIT = 50_000
"""Above this many rows their codes in memory are float16."""

_BLAS_LOCK = threading.Lock()


class FlatStore:
    """All rows in one flat FAISS index, in memory."""

    def __init__(self, embeddings: Embeddings) -> None:
        self._index: FaissIndex = load_faiss().IndexFlatIP(embeddings.dim)
        for _, block in embeddings.blocks():
            self._index.add(block)
        self._n_rows = embeddings.n_rows

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        *,
        allowed: NDArray[np.bool_] | None = None,
        where: Condition | None = None,
    ) -> list[Neighbours]:
        """See ``Store``. A single query is answered by one thread, whatever OpenMP is set to."""
        del where  # says no more than the mask
        n_eligible = self._n_rows if allowed is None else int(np.count_nonzero(allowed))
        width = min(k, n_eligible)
        if not width:
            return [Neighbours(np.empty(0, np.float32), np.empty(0, np.int64)) for _ in queries]
        if allowed is None and len(queries) == 1:
            scores, rows = find(self._index, queries, width)
        elif allowed is None:
            scores, rows = self._search_batch(queries, width)
        else:
            scores, rows = self._search_allowed(queries, width, allowed)
        return [Neighbours(*pair) for pair in zip(scores, rows, strict=True)]

    def close(self) -> None:
        """See ``Store``: the memory goes with the last reference."""

    def _search_batch(
        self, queries: NDArray[np.float32], k: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        # FAISS turns to BLAS only above a bound on queries x dim that is ten times too high, and global.
        faiss = load_faiss()
        with _BLAS_LOCK:
            before = faiss.cvar.distance_compute_blas_threshold
            faiss.cvar.distance_compute_blas_threshold = 1
            try:
                return find(self._index, queries, k)
            finally:
                faiss.cvar.distance_compute_blas_threshold = before

    def _search_allowed(
        self, queries: NDArray[np.float32], k: int, allowed: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        parameters = load_faiss().SearchParameters(sel=selector(allowed))
        return find(self._index, queries, k, params=parameters)


def build(generation: Generation, folder: str, *, flat_limit: int = FLAT_LIMIT) -> Built:
    """Write an inverted file when there are more than ``flat_limit`` rows, nothing otherwise."""
    if generation.embeddings.n_rows <= flat_limit:
        return Built()
    return inverted.build(generation, folder)


def _open(generation: Generation, ref: StoreRef, files: Mapping[str, SealedFile]) -> Store:
    return beside(_on_cpu(generation, ref, files), generation.embeddings, generation.device)


def _on_cpu(generation: Generation, ref: StoreRef, files: Mapping[str, SealedFile]) -> Store:
    embeddings = generation.embeddings
    if ref.kind == "faiss" and ref.files:
        return inverted.open_inverted(generation, ref, files[ref.files[0]])
    return HalfStore(embeddings) if embeddings.n_rows > HALF_LIMIT else FlatStore(embeddings)


KIND = StoreKind(build, _open)
