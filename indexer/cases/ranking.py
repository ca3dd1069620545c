"""The best cases for one query, from the lists of hits of its images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from cbir.types import Hit, Item
from indexer.cases.aspect import aspect_of
from indexer.cases.hits import CaseHit, CaseQuery, Pair, agreed
from indexer.cases.matching import case_score, match_images
from indexer.cases.table import CaseTable, case_of

_AT_ONCE = 32
"""Cases that are scored together, at least."""

Lists = Sequence[Sequence[Hit]]
"""Of each image of the query, its hits, best first."""


class Ranking:
    """What is known of the cases so far.

    Args:
        query: see there.
        k: how many cases are wanted.
        table: all cases.
        ask: the lists of some items alone, by their ids; those that may not be found are not in them.
    """

    def __init__(
        self, query: CaseQuery, k: int, table: CaseTable, ask: Callable[[frozenset[str]], Lists]
    ) -> None:
        self._query = query
        self._k = k
        self._table = table
        self._ask = ask
        self._scored: dict[str, CaseHit] = {}

    def best(self, lists: Lists, *, is_all: bool) -> list[CaseHit] | None:
        """The best ``k`` cases, fewer if there are fewer; None while longer lists could bring better ones.

        Args:
            lists: equally long, or all there is.
            is_all: whether they are all that may be found.
        """
        there = self._by_case(lists)
        rest = [0.0 if is_all else max(hits[-1].score, 0.0) for hits in lists]
        unseen = -1.0 if is_all else case_score(rest, len(rest))
        bounds = self._bounds(there, rest)
        order = sorted(bounds, key=lambda case: (-bounds[case], case))
        while True:
            best = sorted(self._scored.values(), key=lambda hit: (-hit.score, hit.case))[: self._k]
            least = best[-1].score if len(best) == self._k else 0.0
            waiting = [case for case in order if case not in self._scored and bounds[case] >= least]
            if unseen >= least and (len(best) == self._k or not waiting):
                return None  # longer lists bound those that wait, too: most will not have to be scored
            if not waiting:
                return [replace(hit, rank=rank) for rank, hit in enumerate(best, start=1)]
            self._score(waiting[: max(self._k, _AT_ONCE)], there if is_all else None)

    def _by_case(self, lists: Lists) -> Mapping[str, Lists]:
        """The hits of each case but the query's own, image by image."""
        found: defaultdict[str, list[list[Hit]]] = defaultdict(lambda: [[] for _ in lists])
        for number, hits in enumerate(lists):
            for hit in hits:
                case = case_of(hit.item, self._table.column)
                if case is not None and case != self._query.case:
                    found[case][number].append(hit)
        return found

    def _bounds(self, there: Mapping[str, Lists], rest: Sequence[float]) -> dict[str, float]:
        """No less than each case's score: every image gets the best hit that it might be paired with."""
        bounds = {}
        for case, seen in there.items():
            best = list(rest)
            for i, (image, hits) in enumerate(zip(self._query.images, seen, strict=True)):
                for hit in hits:  # best first: mostly the first one will do
                    if hit.score <= best[i]:
                        break
                    if image.aspect.may_be(aspect_of(hit.item.metadata)):
                        best[i] = hit.score
            bounds[case] = case_score(best, len(best))
        return bounds

    def _score(self, cases: Sequence[str], there: Mapping[str, Lists] | None) -> None:
        """Score some cases by all of their items; ``there`` has them already, or nothing has."""
        if there is None:
            items = frozenset(each for case in cases for each in self._table.items[case])
            there = self._by_case(self._ask(items))
        self._scored |= {case: _matched(self._query, case, there[case]) for case in cases}


def _matched(query: CaseQuery, case: str, seen: Lists) -> CaseHit:
    items: dict[str, Item] = {hit.item.id: hit.item for hits in seen for hit in hits}
    ids = sorted(items)
    hit_of = {(i, hit.item.id): hit for i, hits in enumerate(seen) for hit in hits}
    cosines = np.array(
        [[hit_of[i, each].score if (i, each) in hit_of else -1.0 for each in ids] for i in range(len(seen))],
        dtype=np.float32,
    )
    matches = match_images(
        [image.aspect for image in query.images],
        [aspect_of(items[each].metadata) for each in ids],
        cosines,
    )
    found = [(match.query, hit_of[match.query, ids[match.other]]) for match in matches]
    return CaseHit(
        rank=0,
        score=case_score([hit.score for _, hit in found], len(seen)),
        case=case,
        label=agreed(item.label for item in items.values()),
        group=agreed(item.group for item in items.values()),
        n_items=len(items),
        pairs=tuple(Pair(image, hit.item, hit.score, hit.box) for image, hit in found),
    )
