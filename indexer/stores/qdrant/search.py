"""A store over an engine of Qdrant, here or on a server: it names rows, the embeddings score them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cbir.errors import IndexDamagedError
from indexer.stores.approximate import ApproximateStore
from indexer.stores.qdrant.filters import native_filter
from indexer.writing.changes import ITEM_CHANGES, item_changes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from cbir.items.where import Condition, Kind
    from indexer.manifest import StoreRef
    from indexer.storage.records import JSON
    from indexer.stores.qdrant.engine import Engine
    from indexer.stores.store import Generation

EF, RECALL = "ef", "recall_at_10"
COLUMNS = "columns"

_ROWS_PER_CANDIDATE = 80
"""One candidate more costs the engine about what comparing so many rows costs (100k x 128, measured)."""


class EngineFinder:
    """Asks the engine; says the condition in its language where the payloads are what the catalog says."""

    def __init__(self, engine: Engine, n_points: int, ef: int, columns: Mapping[str, Kind] | None) -> None:
        """Take an engine and how to ask it; no columns where the payloads are out of date."""
        self._engine = engine
        self._n_points = n_points
        self._ef = ef
        self._columns = columns

    def find(
        self,
        queries: NDArray[np.float32],
        depth: int,
        *,
        allowed: NDArray[np.bool_] | None,
        where: Condition | None,
    ) -> list[NDArray[np.int64]]:
        """See ``Finder``. Where the engine can't be told the mask, it is asked for so many rows more."""
        condition = None
        if where is not None and self._columns is not None:
            condition = native_filter(where, self._columns)
        if allowed is not None and condition is None:
            share = max(1, int(np.count_nonzero(allowed[: self._n_points]))) / self._n_points
            depth = min(self._n_points, int(depth / share))
            if depth * _ROWS_PER_CANDIDATE > self._n_points:
                return [np.empty(0, np.int64) for _ in queries]
        return self._engine.find(queries, depth, ef=self._ef, condition=condition)

    def close(self) -> None:
        """See ``Finder``."""
        self._engine.close()


def engine_store(generation: Generation, ref: StoreRef, engine: Engine) -> ApproximateStore:
    """The store over an engine that was filled when ``ref`` was written.

    Raises:
        IndexDamagedError: the engine has another number of points than rows were given to it.
    """
    n_points = engine.n_points()
    if n_points != ref.n_rows:
        raise IndexDamagedError(
            f"The Qdrant store of {str(generation.directory)!r} has {n_points} points, {ref.n_rows} were "
            "written. Build it again: cbir index rebuild."
        )
    settings: Any = ref.settings
    is_current = settings[ITEM_CHANGES] == item_changes(generation.catalog)
    finder = EngineFinder(engine, n_points, settings[EF], settings[COLUMNS] if is_current else None)
    return ApproximateStore(generation.embeddings, finder, n_covered=n_points)


def fill_settings(
    generation: Generation, columns: Mapping[str, Kind], ef: int, recall: float
) -> dict[str, JSON]:
    """What ``engine_store`` must know of an engine that was just filled."""
    return {
        EF: ef,
        RECALL: recall,
        COLUMNS: dict(columns),
        ITEM_CHANGES: item_changes(generation.catalog),
    }
