"""The cases most like a case: exactly those that scoring every case would give.

The images of the query are searched for as any image is, so that what may be found, and every score, is as
``Index.search`` has it. What these lists say of a case bounds its score; a case that could be in the answer
is scored by all of its items, and the lists grow until no case beyond them could be (the threshold algorithm,
Fagin et al. 2003).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from cbir.errors import ItemsError
from cbir.items.where import Condition
from cbir.types import Hit
from indexer.cases.aspect import aspect_of
from indexer.cases.hits import CaseHit, CaseImage, CaseQuery
from indexer.cases.ranking import Lists, Ranking
from indexer.cases.table import CaseTable
from indexer.index import Index

_WHOLE = 1000
"""Up to this many items all are asked for at once."""

_SPARE = 32
"""Items asked for beyond those of k cases."""


@dataclass(frozen=True, slots=True)
class _Asking:
    """What may be found, as ``Index.search`` takes it."""

    index: Index
    exclude_same_group: bool
    among: frozenset[str] | None
    where: Condition | None

    def lists(self, images: Sequence[CaseImage], depth: int) -> list[list[Hit]]:
        """The hits of each image."""
        queries = [image.query for image in images]
        return self.index.search_many(
            queries, depth, exclude_same_group=self.exclude_same_group, among=self.among, where=self.where
        )

    def lists_of(self, images: Sequence[CaseImage], items: frozenset[str]) -> list[list[Hit]]:
        """Likewise, of some items: as many as may be found."""
        among = items if self.among is None else items & self.among
        return replace(self, among=among).lists(images, max(1, len(among)))


class CaseSearcher:
    """Answers with the cases of one index; threads may share it."""

    def __init__(self, index: Index, table: CaseTable) -> None:
        """Take an index that stays open, and its cases."""
        self._index = index
        self._table = table
        self._per_case = -(-table.n_items // max(1, len(table.items)))

    @property
    def table(self) -> CaseTable:
        """The cases."""
        return self._table

    def query(self, case: str) -> CaseQuery:
        """A case of the index as a query.

        Raises:
            KeyError: no such case.
        """
        images = [
            CaseImage(each, self._index.query(each), aspect_of(self._index.item(each).metadata))
            for each in self._table.items[case]
        ]
        return CaseQuery(tuple(sorted(images, key=lambda image: (str(image.aspect), image.name))), case)

    def search(
        self,
        query: CaseQuery,
        k: int,
        *,
        exclude_same_group: bool = False,
        among: frozenset[str] | None = None,
        where: Condition | None = None,
    ) -> list[CaseHit]:
        """Find the ``k`` cases most like the query.

        The score is ``case_score`` of the pairs that ``match_images`` makes, in [0, 1]; equal scores are
        ordered by case. There are ``min(k, eligible)`` hits; eligible is a case with an item that may be
        found. Items that may not are no part of their case.

        Args:
            query: its images are of one fingerprint, the index's.
            k: at least 1.
            exclude_same_group: leave out every item of the query's group, as ``Index.search`` does.
            among: ids of the items that may be found; None for all.
            where: holds for the items that may be found; None for all.

        Raises:
            ValueError: ``k`` below 1.
            ItemsError: the query has no image.
            CbirError: as ``Index.search``.
        """
        return self.search_many([query], k, exclude_same_group=exclude_same_group, among=among, where=where)[
            0
        ]

    def search_many(
        self,
        queries: Sequence[CaseQuery],
        k: int,
        *,
        exclude_same_group: bool = False,
        among: frozenset[str] | None = None,
        where: Condition | None = None,
    ) -> list[list[CaseHit]]:
        """Search for many queries in one go; the hits of each as ``search`` gives them."""
        if k < 1:
            raise ValueError(f"k is {k}; ask for at least 1 hit.")
        if any(not query.images for query in queries):
            raise ItemsError("A case without an image can't be searched for. Give it one.")
        asking = _Asking(self._index, exclude_same_group, among, where)
        n_items = len(self._index)
        depth = n_items + 1 if n_items <= _WHOLE else 2 * k * self._per_case + _SPARE
        lists = iter(asking.lists([image for query in queries for image in query.images], depth))
        return [
            self._rank(query, list(islice(lists, len(query.images))), k, depth, asking) for query in queries
        ]

    def _rank(self, query: CaseQuery, lists: Lists, k: int, depth: int, asking: _Asking) -> list[CaseHit]:
        """Ask for longer lists while a case beyond them could be in the answer."""
        ranking = Ranking(query, k, self._table, partial(asking.lists_of, query.images))
        while True:
            # One list that ends has named all items; a query's own image is in another one at most.
            is_all = any(len(hits) < depth for hits in lists)
            best = ranking.best(lists, is_all=is_all)
            if best is not None:
                return best
            depth *= 4
            lists = asking.lists(query.images, depth)
