"""An index as a refinement sees it: bounds set once, embeddings at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbir.items.where import Condition
    from cbir.types import Hit, Query
    from indexer.index import Index

_MAX_KEPT = 16 << 20
"""Numbers of embeddings that are kept for the next query."""


@dataclass(frozen=True, slots=True, eq=False)
class IndexGallery:
    """The plain search of an index; ``Index.search`` says what the bounds mean. Of one thread."""

    index: Index
    exclude_same_group: bool = False
    among: frozenset[str] | None = None
    where: Condition | None = None
    _kept: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def search(self, queries: Sequence[Query], k: int) -> list[list[Hit]]:
        """As ``Index.search_many``."""
        return self.index.search_many(
            queries, k, exclude_same_group=self.exclude_same_group, among=self.among, where=self.where
        )

    def vectors(self, query: Query, hits: Sequence[Hit]) -> list[NDArray[np.float32]]:
        """As they are in the index, whoever asks."""
        del query
        kept, wanted = self._kept, {hit.item.id for hit in hits}
        if missing := wanted - kept.keys():
            if sum(rows.size for rows in kept.values()) > _MAX_KEPT:
                kept.clear()
                missing = wanted
            for item_id in missing:
                kept[item_id] = np.atleast_2d(self.index.query(item_id).embedding)
        return [kept[hit.item.id] for hit in hits]
