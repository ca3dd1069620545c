"""FAISS, imported when it is first needed (0.25 s), and as much of its interface as is used.

The package's own type stubs lack half of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray


class _Clustering(Protocol):
    niter: int
    seed: int


class FaissIndex(Protocol):
    """An index of FAISS; of an inverted file, how its cells are found, and what knows them."""

    cp: _Clustering
    is_trained: bool
    quantizer: FaissIndex
    clustering_index: FaissIndex | None

    def train(self, vectors: NDArray[np.float32]) -> None:
        """Learn the cells and the codes."""
        ...

    def add(self, vectors: NDArray[np.float32]) -> None:
        """Append rows; never while another thread searches."""
        ...

    def add_core(self, n: int, vectors: object, ids: None, cells: object) -> None:
        """Append rows whose cells are known; takes pointers."""
        ...

    def reset(self) -> None:
        """Forget all rows."""
        ...


def find(
    index: FaissIndex, queries: NDArray[np.float32], k: int, *, params: object = None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Scores and rows, (n, k) each; row -1 where there was nothing more to find.

    ``faiss.contrib.torch_utils``, which libraries of metric learning import, replaces ``search`` in the whole
    process by one that takes tensors and no parameters; the one for arrays is then beside it.
    """
    search = getattr(index, "search_numpy", None) or index.search  # type: ignore[attr-defined]  # FAISS's
    found: tuple[NDArray[np.float32], NDArray[np.int64]] = search(queries, k, params=params)
    return found


def load_faiss() -> ModuleType:
    """The module ``faiss``."""
    return import_module("faiss")


def selector(allowed: NDArray[np.bool_]) -> object:
    """FAISS's form of a mask over rows."""
    made: object = load_faiss().IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
    return made
