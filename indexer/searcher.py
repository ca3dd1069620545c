"""From a query to hits: which rows may be found, the store's answer, exact scores, ties, the cut."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import SpecError
from cbir.types import Hit, Item, Query
from indexer.vectors import unit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from indexer.catalog import Catalog
    from indexer.embeddings import Embeddings
    from indexer.stores import Neighbours, Store

_SCORE_ERROR = 4e-6
"""A store's float32 scores of unit vectors are nearer than this to the true cosines."""

_MARGIN = 2
"""Rows asked for beyond k, so that a near tie at the cut seldom needs a second search."""

_MAX_CACHED_ROWS = 100_000


class Searcher:
    """Answers queries over one generation; threads may share it."""

    def __init__(self, catalog: Catalog, embeddings: Embeddings, make_store: Callable[[], Store]) -> None:
        self._catalog = catalog
        self._embeddings = embeddings
        self._make_store = make_store
        self._store: Store | None = None
        self._lock = threading.Lock()
        self._items: dict[int, tuple[Item, ...]] = {}
        self._kept: tuple[frozenset[str] | None, NDArray[np.bool_] | None] | None = None

    def search(
        self,
        queries: Sequence[Query],
        k: int,
        *,
        exclude_same_group: bool,
        among: frozenset[str] | None,
    ) -> list[list[Hit]]:
        """Answer queries whose fingerprints are right; ``Index.search`` says the rest."""
        vectors = [unit(np.asarray(query.embedding), self._embeddings.dim) for query in queries]
        masks = [
            self._allowed(query, exclude_same_group=exclude_same_group, among=among) for query in queries
        ]
        if not queries or not self._embeddings.n_rows:
            return [[] for _ in queries]
        store = self._ready()
        if len(queries) > 1 and all(mask is masks[0] for mask in masks):
            found = store.search(np.stack(vectors), k + _MARGIN, allowed=masks[0])
        else:
            found = [
                store.search(vector[np.newaxis], k + _MARGIN, allowed=mask)[0]
                for vector, mask in zip(vectors, masks, strict=True)
            ]
        return [
            self._rank(query, vector, mask, neighbours, k, among=among)
            for query, vector, mask, neighbours in zip(queries, vectors, masks, found, strict=True)
        ]

    def _ready(self) -> Store:
        if self._store is None:
            with self._lock:
                if self._store is None:
                    self._store = self._make_store()
        return self._store

    def _rank(
        self,
        query: Query,
        vector: NDArray[np.float32],
        allowed: NDArray[np.bool_] | None,
        neighbours: Neighbours,
        k: int,
        *,
        among: frozenset[str] | None,
    ) -> list[Hit]:
        """Score the rows exactly; ask the store for more while a row beyond them could tie at the cut."""
        asked = k + _MARGIN
        while True:
            # One dot product a row: equal rows get equal scores, wherever they lie and whoever found them.
            scores = np.vecdot(self._embeddings.gather(neighbours.rows), vector)
            ranked = [
                (-score if -1.0 <= score <= 1.0 else -1.0 if score > 0 else 1.0, item.id, item)
                for score, items in zip(
                    scores.tolist(), self._items_of(neighbours.rows.tolist()), strict=True
                )
                for item in items
                if item.id != query.item_id and (among is None or item.id in among)
            ]
            ranked.sort()  # ids differ, so that items are never compared
            is_all = len(neighbours.rows) < asked
            if is_all or (len(ranked) >= k and neighbours.scores[-1] < -ranked[k - 1][0] - _SCORE_ERROR):
                return [Hit(rank, -score, item) for rank, (score, _, item) in enumerate(ranked[:k], start=1)]
            asked *= 4
            neighbours = self._ready().search(vector[np.newaxis], asked, allowed=allowed)[0]

    def _items_of(self, rows: list[int]) -> list[tuple[Item, ...]]:
        cache = self._items
        missing = [row for row in rows if row not in cache]
        if missing:
            if len(cache) > _MAX_CACHED_ROWS:
                self._items = cache = {row: cache[row] for row in rows if row in cache}
            cache.update(self._catalog.items_of_rows(missing))
        return [cache[row] for row in rows]

    def _allowed(
        self, query: Query, *, exclude_same_group: bool, among: frozenset[str] | None
    ) -> NDArray[np.bool_] | None:
        """Which rows have an item that may be found; None when all have. Not to be written to."""
        group = query.group if exclude_same_group else None
        if exclude_same_group and group is None:
            raise SpecError(
                "The query has no group, so its group can't be left out: give it one, "
                "or search without excluding the same group."
            )
        everywhere = self._base(among)
        excluded = [] if group is None else self._catalog.rows_of_group(group)
        if query.item_id is not None and (found := self._catalog.item(query.item_id)):
            row = found[1]
            if all(item.id == query.item_id for item in self._items_of([row])[0]):
                excluded.append(row)
        if not excluded:
            return everywhere
        allowed = (
            np.ones(self._embeddings.n_rows, dtype=np.bool_) if everywhere is None else everywhere.copy()
        )
        allowed[excluded] = False
        return allowed

    def _base(self, among: frozenset[str] | None) -> NDArray[np.bool_] | None:
        """The rows that any query may find, kept for the next one; None for all."""
        kept = self._kept
        if kept is None or kept[0] is not among:
            if among is None:
                dead = self._catalog.dead_rows()
                rows = np.ones(self._embeddings.n_rows, dtype=np.bool_)
                rows[dead] = False
                kept = (None, rows if dead else None)
            else:
                rows = np.zeros(self._embeddings.n_rows, dtype=np.bool_)
                rows[self._catalog.rows_of_items(among)] = True
                kept = (among, rows)
            self._kept = kept
        return kept[1]
