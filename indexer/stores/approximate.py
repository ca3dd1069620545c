"""What stores have in common that may overlook a row: they name candidates, the embeddings give the scores.

Rows added since the files were built are searched exactly beside them, and so is a filter that leaves few
rows. Where the candidates don't fill an answer they are asked for in greater number, and at last every row is
compared: an answer is always as wide as it can be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from indexer.stores.exact import ExactStore, few_rows, nearest, score, score_each

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.items.where import Condition
    from indexer.embeddings import Embeddings
    from indexer.stores.store import Neighbours

_DEEPEST = 1 << 14


class Finder(Protocol):
    """Names the rows that are probably nearest. Threads may share it."""

    def find(
        self,
        queries: NDArray[np.float32],
        depth: int,
        *,
        allowed: NDArray[np.bool_] | None,
        where: Condition | None,
    ) -> list[NDArray[np.int64]]:
        """About ``depth`` rows a query, each once, in any order; fewer when it knows of no more.

        Args:
            queries: (n, dim), unit rows.
            depth: at least 1.
            allowed: rows outside it are of no use, but may be named.
            where: see ``Store``; the same as ``allowed``, or less.
        """
        ...

    def close(self) -> None:
        """Let go of files, memory and connections."""
        ...


class ApproximateStore:
    """A ``Store`` over a finder that knows the first ``n_covered`` rows."""

    def __init__(self, embeddings: Embeddings, finder: Finder, *, n_covered: int) -> None:
        self._embeddings = embeddings
        self._finder = finder
        self._n_covered = n_covered
        self._exact = ExactStore(embeddings)
        self._tail = ExactStore(embeddings, first_row=n_covered)

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        *,
        allowed: NDArray[np.bool_] | None = None,
        where: Condition | None = None,
    ) -> list[Neighbours]:
        """See ``Store``. Scores are exact; that no better row was overlooked is likely, not certain."""
        if allowed is not None and (few := few_rows(allowed)) is not None:
            return score_each(self._embeddings, queries, few, k)
        if not self._n_covered:
            return self._exact.search(queries, k, allowed=allowed)
        depth = min(self._n_covered, first_depth(k))
        found = self._finder.find(queries, depth, allowed=allowed, where=where)
        tails = self._tail.search(queries, k, allowed=allowed)
        n_eligible = self._embeddings.n_rows if allowed is None else int(np.count_nonzero(allowed))
        wanted = min(k, n_eligible)
        return [
            self._filled(
                query[np.newaxis], k, wanted=wanted, allowed=allowed, where=where, candidates=rows, tail=tail
            )
            for query, rows, tail in zip(queries, found, tails, strict=True)
        ]

    def close(self) -> None:
        """See ``Store``."""
        self._finder.close()

    def _filled(
        self,
        query: NDArray[np.float32],
        k: int,
        *,
        wanted: int,
        allowed: NDArray[np.bool_] | None,
        where: Condition | None,
        candidates: NDArray[np.int64],
        tail: Neighbours,
    ) -> Neighbours:
        """The answer from these candidates, or from more where they are too few."""
        depth = min(self._n_covered, first_depth(k))
        while True:
            useful = candidates if allowed is None else candidates[allowed[candidates]]
            best = nearest([score(self._embeddings, query[0], useful, k), tail], k)
            if len(best.rows) >= wanted:
                return best
            if len(candidates) < depth or depth > _DEEPEST:
                return self._exact.search(query, k, allowed=allowed)[0]
            depth *= 4
            candidates = self._finder.find(query, min(self._n_covered, depth), allowed=allowed, where=where)[
                0
            ]


def first_depth(k: int) -> int:
    """How many candidates are asked for at first: their rough order may differ from the exact one."""
    return 4 * k + 32
