"""The inverted file: the nearest cells name candidates, the embeddings give the scores.

Cells and codes are FAISS IVF with 8-bit scalar codes. How many cells a query visits is measured when the
file is built: enough that a sample of the gallery's own rows finds its true neighbours.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from indexer.storage.durable import DurableFile
from indexer.stores.approximate import ApproximateStore
from indexer.stores.gpu import train_and_fill
from indexer.stores.recall import least_effort
from indexer.stores.store import Built, Generation
from indexer.stores.vendor import FaissIndex, find, load_faiss, selector

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from cbir.items.where import Condition
    from indexer.manifest import StoreRef
    from indexer.storage.sealed import SealedFile

FILE = "ivf_sq8.faiss"

_SEED = 20240501
_TRAIN_PER_CELL = 64
_TRAIN_ITERATIONS = 10
_FIRST_CELLS = 4
_LOAD_LOCK = threading.Lock()


class Cells:
    """Looks into the cells nearest to a query."""

    def __init__(self, index: FaissIndex, n_probe: int) -> None:
        self._index = index
        self._n_probe = n_probe

    def find(
        self,
        queries: NDArray[np.float32],
        depth: int,
        *,
        allowed: NDArray[np.bool_] | None,
        where: Condition | None,
    ) -> list[NDArray[np.int64]]:
        """See ``Finder``; names allowed rows only."""
        del where  # says no more than the mask
        return _candidates(self._index, queries, depth, self._n_probe, allowed)

    def close(self) -> None:
        """See ``Finder``: the memory goes with the last reference."""


def open_inverted(generation: Generation, ref: StoreRef, file: SealedFile) -> ApproximateStore:
    """Read the file; rows added since are searched exactly beside it."""
    n_probe = ref.settings["n_probe"]
    if not isinstance(n_probe, int):
        raise TypeError(f"n_probe must be a whole number, not {n_probe!r}")
    return ApproximateStore(generation.embeddings, Cells(_load(file), n_probe), n_covered=ref.n_rows)


def build(generation: Generation, folder: str) -> Built:
    """Train, fill, measure and write an inverted file over every row."""
    faiss = load_faiss()
    embeddings = generation.embeddings
    rng = np.random.default_rng(_SEED)
    n_rows, dim = embeddings.n_rows, embeddings.dim
    n_cells = max(1, min(int(4 * n_rows**0.5), n_rows // 39))
    quantizer = faiss.IndexFlatIP(dim)
    index: FaissIndex = faiss.IndexIVFScalarQuantizer(
        quantizer, dim, n_cells, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.niter, index.cp.seed = _TRAIN_ITERATIONS, _SEED
    chosen = rng.choice(n_rows, min(n_rows, _TRAIN_PER_CELL * n_cells), replace=False)
    device = train_and_fill(index, embeddings.gather(np.sort(chosen)), embeddings, generation.device)
    n_probe, recall = least_effort(
        embeddings,
        lambda queries, depth, n_probe: _candidates(index, queries, depth, n_probe, None),
        least=_FIRST_CELLS,
        most=n_cells,
    )
    name = f"{folder}/{FILE}"
    with DurableFile(generation.directory / name) as file:
        _dump(index, file.write)
        seal = file.seal()
    settings = {"n_cells": n_cells, "n_probe": n_probe, "recall_at_10": recall, "built_on": device}
    return Built({name: seal}, n_rows, settings)


def _candidates(
    index: FaissIndex,
    queries: NDArray[np.float32],
    depth: int,
    n_probe: int,
    allowed: NDArray[np.bool_] | None,
) -> list[NDArray[np.int64]]:
    chosen = {} if allowed is None else {"sel": selector(allowed)}
    parameters = load_faiss().SearchParametersIVF(nprobe=n_probe, **chosen)
    return [rows[rows >= 0] for rows in find(index, queries, depth, params=parameters)[1]]


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
