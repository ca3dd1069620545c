"""Every row, by NumPy, from the embeddings where they lie: slow, obvious, and the truth for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer.stores.store import Built, Generation, Neighbours, StoreKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cbir.items.where import Condition
    from indexer.embeddings import Embeddings
    from indexer.manifest import StoreRef
    from indexer.storage.sealed import SealedFile

FEW_ROWS = 4096
FEW_SHARE = 0.02
"""Up to this many eligible rows, or this share of all, each of them is scored, whatever the store."""

_CHUNK_ROWS = 1 << 16


class ExactStore:
    """Multiplies everything, sorts what is best."""

    def __init__(self, embeddings: Embeddings, *, first_row: int = 0) -> None:
        self._embeddings = embeddings
        self._first_row = first_row

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
        if allowed is not None and (few := few_rows(allowed)) is not None:
            return score_each(self._embeddings, queries, few[few >= self._first_row], k)
        found: list[list[Neighbours]] = [[] for _ in queries]
        for first_row, block in self._embeddings.blocks(self._first_row):
            for start in range(0, len(block), _CHUNK_ROWS):
                chunk = block[start : start + _CHUNK_ROWS]
                first = first_row + start
                rows = np.arange(first, first + len(chunk))
                if allowed is not None:
                    rows = rows[allowed[rows]]
                    chunk = block[rows - first_row]
                for parts, scores in zip(found, _products(chunk, queries), strict=True):
                    parts.append(_best(scores, rows, k))
        return [nearest(parts, k) for parts in found]

    def close(self) -> None:
        """See ``Store``: it holds nothing of its own."""


def few_rows(allowed: NDArray[np.bool_]) -> NDArray[np.int64] | None:
    """The allowed rows, where they are so few that scoring each is quickest; else None."""
    if np.count_nonzero(allowed) > max(FEW_ROWS, len(allowed) * FEW_SHARE):
        return None
    return np.flatnonzero(allowed)


def score_each(
    embeddings: Embeddings, queries: NDArray[np.float32], rows: NDArray[np.int64], k: int
) -> list[Neighbours]:
    """The best ``k`` of some rows for each query; the rows are read once for all."""
    if len(queries) == 1:
        return [score(embeddings, queries[0], rows, k)]
    scores = queries @ embeddings.gather(rows).T
    return [nearest([_best(each, rows, k)], k) for each in scores]


def score(embeddings: Embeddings, query: NDArray[np.float32], rows: NDArray[np.int64], k: int) -> Neighbours:
    """The best ``k`` of some rows, their scores from the embeddings."""
    # On this thread alone: a product by BLAS wakes others, and waits for them where the machine is busy.
    return nearest([Neighbours(np.vecdot(embeddings.gather(rows), query), rows)], k)


def nearest(parts: list[Neighbours], k: int) -> Neighbours:
    """The best ``k`` of several lists."""
    if not parts:
        return Neighbours(np.empty(0, np.float32), np.empty(0, np.int64))
    scores = np.concatenate([part.scores for part in parts])
    rows = np.concatenate([part.rows for part in parts])
    order = np.lexsort((rows, -scores))[:k]
    return Neighbours(scores[order], rows[order])


def _products(block: NDArray[np.float32], queries: NDArray[np.float32]) -> NDArray[np.float32]:
    # (queries, rows); one query is quicker as a product with a vector.
    return (block @ queries[0])[np.newaxis] if len(queries) == 1 else queries @ block.T


def _best(scores: NDArray[np.float32], rows: NDArray[np.int64], k: int) -> Neighbours:
    if k >= len(scores):
        return Neighbours(scores, rows)
    kept = np.argpartition(scores, len(scores) - k)[len(scores) - k :]
    return Neighbours(scores[kept], rows[kept])


def _build(generation: Generation, folder: str) -> Built:
    del generation, folder
    return Built()


def _open(generation: Generation, ref: StoreRef, files: Mapping[str, SealedFile]) -> ExactStore:
    del ref, files
    return ExactStore(generation.embeddings)


KIND = StoreKind(_build, _open)
