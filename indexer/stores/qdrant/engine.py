"""What the embedded engine and a server have in common, without a word of either vendor library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from indexer.storage.records import JSON


class Engine(Protocol):
    """Finds the points nearest to a query. Threads may share it; processes open their own.

    A point is a row. What its own key is (a number, a UUID) and how that leads to the row is the engine's
    business.
    """

    def find(
        self, queries: NDArray[np.float32], depth: int, *, ef: int, condition: Mapping[str, JSON] | None
    ) -> list[NDArray[np.int64]]:
        """The rows of the ``depth`` nearest points of each query that fulfil the condition.

        Args:
            queries: (n, dim), unit rows, finite.
            depth: at least 1.
            ef: how many points of the graph are kept in view, HNSW's ``ef``.
            condition: a filter in the JSON of Qdrant's REST interface (``filters``); None for all points.

        Raises:
            BackendError: a server can't be reached, or refuses.
        """
        ...

    def n_points(self) -> int:
        """How many points there are, counted exactly."""
        ...

    def close(self) -> None:
        """Let go of files, memory and connections; twice is fine."""
        ...
