"""FAISS on a GPU, where there is one: cells found for a build, batches of queries against every row.

What is written is what a CPU reads, and what is found is scored from the embeddings: answers are the same. A
GPU gives no filtered answers (FAISS ignores a selector there), and single queries are quicker without it.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import numpy as np

from indexer.stores.approximate import first_depth
from indexer.stores.exact import score
from indexer.stores.vendor import FaissIndex, find, load_faiss

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.items.where import Condition
    from indexer.embeddings import Embeddings
    from indexer.stores.store import Device, Neighbours, Store

MIN_QUERIES = 32
"""A smaller batch is not worth the way to the GPU."""

_MAX_DEPTH = 2048
"""A GPU finds no more neighbours than this."""

_CHUNK_ROWS = 1 << 16
_note = logging.getLogger(__name__).warning


def has_gpu(device: Device) -> bool:
    """Whether FAISS is to use a GPU: one is there, and ``device`` is not ``cpu``."""
    if device == "cpu":
        return False
    there: bool = load_faiss().get_num_gpus() > 0
    if device == "cuda" and not there:
        _note("FAISS sees no GPU, the store works on the CPU. Install the extra gpu, or set device to auto.")
    return there


def train_and_fill(
    index: FaissIndex, sample: NDArray[np.float32], embeddings: Embeddings, device: Device
) -> Device:
    """Train an inverted file and add every row; which device found the cells, ``cuda`` or ``cpu``."""
    if has_gpu(device):
        try:
            return _on_gpu(index, sample, embeddings)
        except RuntimeError as error:  # FAISS's only kind; of memory, in all that is known
            _note(f"The GPU could not build the store ({_first_line(error)}); the CPU builds it.")
            index.reset()
    if not index.is_trained:
        index.train(sample)
    for _, block in embeddings.blocks():
        index.add(block)
    return "cpu"


def beside(store: Store, embeddings: Embeddings, device: Device) -> Store:
    """The store, and a GPU for its large batches where there is one."""
    return _BatchesOnGpu(store, embeddings) if has_gpu(device) else store


class _BatchesOnGpu:
    """A ``Store`` whose large batches without a filter are answered by a GPU that holds every row."""

    def __init__(self, store: Store, embeddings: Embeddings) -> None:
        self._store = store
        self._embeddings = embeddings
        self._rows: FaissIndex | None = None
        self._is_short = False
        self._lock = threading.Lock()

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        *,
        allowed: NDArray[np.bool_] | None = None,
        where: Condition | None = None,
    ) -> list[Neighbours]:
        """See ``Store``."""
        depth = min(first_depth(k), self._embeddings.n_rows)
        if len(queries) >= MIN_QUERIES and allowed is None and depth <= _MAX_DEPTH and not self._is_short:
            try:
                with self._lock:  # a GPU's scratch memory is for one search at a time
                    found = find(self._resident(), queries, depth)[1]
                return [score(self._embeddings, *each, k) for each in zip(queries, found, strict=True)]
            except RuntimeError as error:
                self._is_short, self._rows = True, None
                _note(f"The GPU can't hold the index ({_first_line(error)}); the CPU searches.")
        return self._store.search(queries, k, allowed=allowed, where=where)

    def close(self) -> None:
        """See ``Store``."""
        self._rows = None
        self._store.close()

    def _resident(self) -> FaissIndex:
        if self._rows is None:
            faiss = load_faiss()
            # In float32: what comes out is scored again, but a neighbour must be among the candidates.
            self._rows = _copied(faiss.IndexFlatIP(self._embeddings.dim))
            for _, block in self._embeddings.blocks():
                for start in range(0, len(block), _CHUNK_ROWS):
                    self._rows.add(block[start : start + _CHUNK_ROWS])
        return self._rows


def _on_gpu(index: FaissIndex, sample: NDArray[np.float32], embeddings: Embeddings) -> Device:
    faiss = load_faiss()
    index.clustering_index = _copied(faiss.IndexFlatIP(embeddings.dim))
    try:
        index.train(sample)
    finally:
        index.clustering_index = None
    cells = _copied(index.quantizer)
    for _, block in embeddings.blocks():
        for start in range(0, len(block), _CHUNK_ROWS):
            chunk = np.ascontiguousarray(block[start : start + _CHUNK_ROWS])
            nearest = np.ascontiguousarray(find(cells, chunk, 1)[1])
            # Encoding stays on the CPU: it needs the residual of every row, one after the other.
            index.add_core(len(chunk), faiss.swig_ptr(chunk), None, faiss.swig_ptr(nearest))
    return "cuda"


def _copied(index: FaissIndex) -> FaissIndex:
    """The index on the first GPU; FAISS keeps the resources with it."""
    faiss = load_faiss()
    made: FaissIndex = faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)
    return made


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
