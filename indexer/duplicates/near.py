"""Pairs of items that look alike, found by the index's own search, some items at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.types import Hit, Item, Query
    from indexer.index import Index

_BLOCK = 256
_FIRST_K, _MOST_K = 16, 1024
_ROUNDING = 1e-6


class NearPairs:
    """Asks every item for those that look like it.

    Args:
        index: kept open.
        threshold: the least cosine.
        on_progress: told how many items are done, now and then.
    """

    def __init__(self, index: Index, threshold: float, on_progress: Callable[[int], None] | None) -> None:
        self._index, self._least = index, threshold - _ROUNDING
        self._on_progress = on_progress
        self.n_items = 0
        self.n_crowded = 0

    def __iter__(self) -> Iterator[tuple[Item, Item, float]]:
        """Each pair, from either side, with its score; memory is bounded by a block of items."""
        items = self._index.items()
        while block := list(islice(items, _BLOCK)):
            yield from self._of_block(block)
            self.n_items += len(block)
            if self._on_progress:
                self._on_progress(self.n_items)

    def _of_block(self, block: Sequence[Item]) -> Iterator[tuple[Item, Item, float]]:
        # Asked as strangers: queries that may find the same are searched for together.
        asked = [(item, replace(self._index.query(item.id), item_id=None, group=None)) for item in block]
        k = _FIRST_K
        while asked:
            found = self._index.search_many([query for _, query in asked], k)
            crowded = []
            for (item, query), hits in zip(asked, found, strict=True):
                if len(hits) == k and hits[-1].score >= self._least and k < _MOST_K:
                    crowded.append((item, query))
                    continue
                self.n_crowded += len(hits) == k and hits[-1].score >= self._least
                yield from self._of_item(item, query, hits)
            asked, k = crowded, 4 * k

    def _of_item(self, item: Item, query: Query, hits: Sequence[Hit]) -> Iterator[tuple[Item, Item, float]]:
        for hit in hits:
            if hit.score < self._least:
                return
            if hit.item.id == item.id:
                continue
            score = hit.score
            if hit.box is not None or query.embedding.ndim > 1:
                score = likeness(query.embedding, self._index.query(hit.item.id).embedding)
            if score >= self._least:
                yield item, hit.item, min(score, 1.0)


def likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """How alike two images in parts are: every part of each must have one like it in the other.

    The mean, over the parts of one image, of each one's greatest cosine with a part of the other; of the two
    directions the lesser. Two images that share one empty tile are not alike by it, as they are for a search;
    of images taken as a whole it is the cosine.

    Args:
        one: (n_parts, dim) or (dim,), unit rows.
        other: likewise.
    """
    cosines = np.atleast_2d(one) @ np.atleast_2d(other).T
    return float(min(cosines.max(axis=1).mean(), cosines.max(axis=0).mean()))
