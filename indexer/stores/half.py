"""All rows in memory at half precision: half the bytes to read; the best are scored again exactly.

Rounding to float16 moves the product of two unit vectors by at most 2^-11, so that it is known when no row
left out can belong to the answer: what comes out is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from indexer.stores.exact import ExactStore, few_rows, score, score_each
from indexer.stores.store import Neighbours
from indexer.stores.vendor import FaissIndex, find, load_faiss, selector

if TYPE_CHECKING:
    from cbir.items.where import Condition
    from indexer.embeddings import Embeddings

_ROUNDING = 2.0**-11 + 1e-5
"""Largest error of a float16 score, with a bit for very small numbers and for float32 sums."""


class HalfStore:
    """A flat FAISS index of float16 codes names candidates; the embeddings give the scores."""

    def __init__(self, embeddings: Embeddings) -> None:
        faiss = load_faiss()
        self._embeddings = embeddings
        self._exact = ExactStore(embeddings)
        self._index: FaissIndex = faiss.IndexScalarQuantizer(
            embeddings.dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        for _, block in embeddings.blocks():
            self._index.train(block)
            self._index.add(block)

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        *,
        allowed: NDArray[np.bool_] | None = None,
        where: Condition | None = None,
    ) -> list[Neighbours]:
        """See ``Store``."""
        del where  # says no more than the mask
        if len(queries) > 1 and allowed is None:
            return self._exact.search(queries, k)  # one matrix product reads every row once for all
        if allowed is not None and (few := few_rows(allowed)) is not None:
            return score_each(self._embeddings, queries, few, k)
        n_eligible = self._embeddings.n_rows if allowed is None else int(np.count_nonzero(allowed))
        return [self._search(query, k, n_eligible, allowed) for query in queries]

    def close(self) -> None:
        """See ``Store``: the memory goes with the last reference."""

    def _search(
        self, query: NDArray[np.float32], k: int, n_eligible: int, allowed: NDArray[np.bool_] | None
    ) -> Neighbours:
        depth = 2 * k + 16
        chosen = None if allowed is None else load_faiss().SearchParameters(sel=selector(allowed))
        while depth < n_eligible:
            rough, rows = find(self._index, query[np.newaxis], depth, params=chosen)
            best = score(self._embeddings, query, rows[0], k)
            if rough[0, -1] < best.scores[-1] - _ROUNDING:
                return best
            depth *= 4
        return self._exact.search(query[np.newaxis], k, allowed=allowed)[0]
