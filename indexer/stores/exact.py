"""Every row, by NumPy, from the embeddings where they lie: slow, obvious, and the truth for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from indexer.stores.store import Built, Neighbours, StoreKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from indexer.embeddings import Embeddings
    from indexer.manifest import StoreRef
    from indexer.sealed import SealedFile


class ExactStore:
    """Multiplies everything, sorts what is best."""

    def __init__(self, embeddings: Embeddings, *, first_row: int = 0) -> None:
        self._embeddings = embeddings
        self._first_row = first_row

    def search(
        self, queries: NDArray[np.float32], k: int, *, allowed: NDArray[np.bool_] | None = None
    ) -> list[Neighbours]:
        """See ``Store``."""
        found: list[list[Neighbours]] = [[] for _ in queries]
        for first_row, block in self._embeddings.blocks(self._first_row):
            rows = None
            if allowed is not None:
                rows = np.flatnonzero(allowed[first_row : first_row + len(block)])
            for parts, query in zip(found, queries, strict=True):
                # One by one: a row's score must not depend on how many are asked for.
                scores = block @ query if rows is None else block[rows] @ query
                parts.append(_best(scores, first_row if rows is None else rows + first_row, k))
        return [nearest(parts, k) for parts in found]


def nearest(parts: list[Neighbours], k: int) -> Neighbours:
    """The best ``k`` of several lists."""
    if not parts:
        return Neighbours(np.empty(0, np.float32), np.empty(0, np.int64))
    scores = np.concatenate([part.scores for part in parts])
    rows = np.concatenate([part.rows for part in parts])
    order = np.lexsort((rows, -scores))[:k]
    return Neighbours(scores[order], rows[order])


def _best(scores: NDArray[np.float32], rows: NDArray[np.int64] | int, k: int) -> Neighbours:
    if k < len(scores):
        kept = np.argpartition(scores, len(scores) - k)[len(scores) - k :]
    else:
        kept = np.arange(len(scores))
    return Neighbours(scores[kept], kept + rows if isinstance(rows, int) else rows[kept])


def _build(embeddings: Embeddings, directory: Path, folder: str) -> Built:
    del embeddings, directory, folder
    return Built()


def _open(embeddings: Embeddings, ref: StoreRef, files: Mapping[str, SealedFile]) -> ExactStore:
    del ref, files
    return ExactStore(embeddings)


KIND = StoreKind(_build, _open)
