"""From a query to hits: the store's answer, exact scores, ties, the cut.

A store knows rows, a hit is an item: an item scores as the best of its rows does, with the best of the
query's parts.
"""

from __future__ import annotations

import threading
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from cbir.types import Hit, Item, Query
from indexer.asking.eligible import Eligible, EligibleRows
from indexer.asking.places import Places
from indexer.storage.vectors import unit_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from cbir.images.tiles import Box
    from cbir.items.where import Condition
    from indexer.asking.columns import Columns
    from indexer.catalog import Catalog
    from indexer.embeddings import Embeddings
    from indexer.stores import Neighbours, Store

_SCORE_ERROR = 4e-6
"""A store's float32 scores of unit vectors are nearer than this to the true cosines."""

_MARGIN = 2
"""Rows asked for beyond k, so that a near tie at the cut seldom needs a second search."""

_MAX_VECTORS = 1024
"""Vectors that a store is asked for at once: it may hold a score for each with many rows."""

_MASK_BYTES = 256 << 20
"""Of what queries may find, a byte a row and query, that is held at once."""

_CHUNK_BYTES = 64 << 20
"""Embeddings that are copied at once to be scored."""

_Scored = tuple[float, str, int, Item, "Box | None"]
"""The score's negative, the item's id, the row, the item, where in it the row lies: sorts as hits do."""


class Searcher:
    """Answers queries over one generation; threads may share it."""

    def __init__(
        self,
        catalog: Catalog,
        embeddings: Embeddings,
        make_store: Callable[[], Store],
        columns: Callable[[], Columns],
        *,
        all_shown: bool = True,
        rows_per_item: int = 1,
    ) -> None:
        """Take the parts of a generation.

        Args:
            catalog: of the generation.
            embeddings: of the generation.
            make_store: called before the first search.
            columns: called with the first bounds that need them.
            all_shown: whether the columns are of all items, and not those of a tenant.
            rows_per_item: about how many rows an item has, so that one search suffices.
        """
        self._embeddings = embeddings
        self._make_store = make_store
        self._rows_per_item = rows_per_item
        self._chunk_rows = max(1, _CHUNK_BYTES // (4 * embeddings.dim))
        self._store: Store | None = None
        self._lock = threading.Lock()
        self._places = Places(catalog)
        self._eligible = EligibleRows(catalog, self._places, embeddings.n_rows, columns, all_shown=all_shown)

    def search(
        self,
        queries: Sequence[Query],
        k: int,
        *,
        exclude_same_group: bool,
        among: frozenset[str] | None,
        where: Condition | None,
    ) -> list[list[Hit]]:
        """Answer queries whose fingerprints are right; ``Index.search`` says the rest."""
        most = max(1, _MASK_BYTES // max(1, self._embeddings.n_rows))
        if len(queries) > most:
            search = partial(
                self.search, k=k, exclude_same_group=exclude_same_group, among=among, where=where
            )
            return [
                hits
                for start in range(0, len(queries), most)
                for hits in search(queries[start : start + most])
            ]
        parts = [unit_parts(np.asarray(query.embedding), self._embeddings.dim) for query in queries]
        bounds = self._eligible.of_each(
            queries, exclude_same_group=exclude_same_group, among=among, where=where
        )
        if not queries or not self._embeddings.n_rows:
            return [[] for _ in queries]
        asked = k * self._rows_per_item + _MARGIN
        return [
            self._rank(query, vectors, neighbours, k, asked=asked, eligible=eligible)
            for query, vectors, eligible, neighbours in zip(
                queries, parts, bounds, self._neighbours(parts, bounds, asked), strict=True
            )
        ]

    def store(self) -> Store:
        """What finds neighbours, opened with the first call."""
        if self._store is None:
            with self._lock:
                if self._store is None:
                    self._store = self._make_store()
        return self._store

    def close(self) -> None:
        """Close the store, if a search opened it."""
        with self._lock:
            store, self._store = self._store, None
        if store is not None:
            store.close()

    def _neighbours(
        self,
        parts: Sequence[NDArray[np.float32]],
        bounds: Sequence[Eligible],
        asked: int,
    ) -> list[list[Neighbours]]:
        """The nearest rows of every part of every query, in as few questions as can be."""
        if len(parts) == 1 or any(eligible is not bounds[0] for eligible in bounds):
            return [self._ask(vectors, asked, each) for vectors, each in zip(parts, bounds, strict=True)]
        found = iter(self._ask(np.concatenate(parts), asked, bounds[0]))
        return [list(islice(found, len(vectors))) for vectors in parts]

    def _ask(self, vectors: NDArray[np.float32], asked: int, eligible: Eligible) -> list[Neighbours]:
        search = partial(self.store().search, allowed=eligible.rows, where=eligible.where)
        if len(vectors) <= _MAX_VECTORS:
            return search(vectors, asked)
        return [
            neighbours
            for start in range(0, len(vectors), _MAX_VECTORS)
            for neighbours in search(vectors[start : start + _MAX_VECTORS], asked)
        ]

    def _rank(
        self,
        query: Query,
        vectors: NDArray[np.float32],
        neighbours: list[Neighbours],
        k: int,
        *,
        asked: int,
        eligible: Eligible,
    ) -> list[Hit]:
        """Score the rows exactly; ask the store for more while a row beyond them could be in the answer."""
        while True:
            rows = neighbours[0].rows
            if len(neighbours) > 1:
                rows = np.unique(np.concatenate([each.rows for each in neighbours]))
            best = self._best(query, vectors, rows, eligible)
            is_all = len(neighbours[0].rows) < asked
            if is_all or (len(best) >= k and _beyond(neighbours) < -best[k - 1][0] - _SCORE_ERROR):
                return [
                    Hit(rank, -score, item, box)
                    for rank, (score, _, _, item, box) in enumerate(best[:k], start=1)
                ]
            asked *= 4
            # Where all rows are asked for, one part brings them all.
            asking = vectors[:1] if asked > self._embeddings.n_rows else vectors
            neighbours = self._ask(asking, asked, eligible)

    def _best(
        self,
        query: Query,
        vectors: NDArray[np.float32],
        rows: NDArray[np.int64],
        eligible: Eligible,
    ) -> list[_Scored]:
        """The items of these rows that may be found, best first, each once: by its best row."""
        numbers = rows.tolist()
        scores, places = self._scores(vectors, rows).tolist(), self._places.of(numbers)
        no_hits = query.no_hits
        ranked: list[_Scored] = [
            (-score if -1.0 <= score <= 1.0 else -1.0 if score > 0 else 1.0, item.id, row, item, box)
            for score, row, (items, box) in zip(scores, numbers, places, strict=True)
            for item in eligible.items(items)
            if item.id not in no_hits
        ]
        ranked.sort()  # no two have the same id and row, so that items are never compared
        best: dict[str, _Scored] = {}
        for scored in ranked:
            best.setdefault(scored[1], scored)
        return list(best.values())

    def _scores(self, vectors: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Each row's greatest cosine with any of the vectors."""
        if len(rows) > self._chunk_rows:
            chunks = np.array_split(rows, -(-len(rows) // self._chunk_rows))
            return np.concatenate([self._scores(vectors, chunk) for chunk in chunks])
        # One dot product a pair: equal rows get equal scores, wherever they lie and whoever found them.
        gathered = self._embeddings.gather(rows)
        scores: NDArray[np.float32] = np.vecdot(gathered, vectors[0])
        for vector in vectors[1:]:
            np.maximum(scores, np.vecdot(gathered, vector), out=scores)
        return scores


def _beyond(neighbours: list[Neighbours]) -> float:
    """No row that was left out has a greater score with any of the parts."""
    last = [each.scores.item(-1) for each in neighbours]
    return last[0] if len(last) == 1 else max(last)
