"""From items and a search to rankings that may be measured: who asks, who may be found, what is said of it.

The query and all of its group leave the gallery before the cut: the search is asked for as many more hits as
the group has, and what leaks without the exclusion comes from the same answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cbir.errors import ItemsError
from cbir.evaluation.intervals import Sample
from cbir.evaluation.notes import notes_of
from cbir.evaluation.pool import Pool, pool_of
from cbir.evaluation.ranking import Ranking
from cbir.items.ordinal import label_order
from cbir.types import Item

Search = Callable[[Sequence[str], int], Sequence[Sequence[str]]]
"""(ids of queries, depth) to the ids of the ``depth`` best items for each, best first, nothing left out."""

_N_AT_ONCE = 256
_MIN_CLASSES = 2


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Rankings of one gallery, ready for every measure.

    Args:
        classes: the labels; a code is a place in it. In their order where they have one.
        is_ordinal: whether they have one.
        k: how many hits each ranking has at most.
        query_ids: who asked and could be answered.
        groups: (n_queries,), codes.
        rankings: a query each, itself and its group left out.
        leaking: the same with only the query left out: what a careless protocol would have measured.
        hits: the places in the pool of each ranking's hits.
        own: (n_queries,), the queries' own places in the pool; -1 where they come from elsewhere, or go by
            another label there.
        pool: the gallery.
        notes: whatever a reader of the numbers must know.
    """

    classes: tuple[str, ...]
    is_ordinal: bool
    k: int
    query_ids: tuple[str, ...]
    groups: NDArray[np.int64]
    rankings: tuple[Ranking, ...]
    leaking: tuple[Ranking, ...]
    hits: tuple[NDArray[np.int64], ...]
    own: NDArray[np.int64]
    pool: Pool
    notes: tuple[str, ...]

    @property
    def gallery(self) -> NDArray[np.int64]:
        """(n_classes,), how many labelled items of each class there are."""
        return self.pool.counts

    @property
    def labels(self) -> NDArray[np.int64]:
        """(n_queries,), the queries' codes."""
        return np.array([ranking.label for ranking in self.rankings], dtype=np.int64)

    def sample(self, values: Sequence[float] | NDArray[np.float64]) -> Sample:
        """Values of the queries with their classes and groups."""
        return Sample(np.asarray(values, dtype=np.float64), self.labels, self.groups)


def rank_queries(
    queries: Sequence[Item],
    search: Search,
    k: int,
    *,
    gallery: Sequence[Item] | None = None,
    may_share_groups: bool = False,
    apart: Search | None = None,
) -> Study:
    """Ask for every labelled query, and keep the labels of its first ``k`` eligible hits.

    Eligible is a labelled item that is neither the query nor of its group. Queries and items without a label
    are left out, and so is a query of whose label nothing is eligible: no ranking could answer it. Each is
    counted in the notes. An item without a group is a group of its own.

    Args:
        queries: with labels and groups.
        search: over the whole gallery.
        k: at least 1.
        gallery: None when the queries are the gallery: leave one group out.
        may_share_groups: a query may have its group in another gallery; the group is left out as ever.
        apart: the same search with each query's group left out before it began, where that gives another
            order than leaving out its hits: one whose scores come from what else may be found. ``search``
            then tells only what leaks; the same one, asked once, tells nothing of it. None: hits are left
            out.

    Raises:
        ItemsError: fewer than two labels in the gallery, no query that could be answered, or a query whose
            group is in another gallery.
        ValueError: ``k`` below 1, or a hit that is not in the gallery.
    """
    if k < 1:
        raise ValueError(f"k is {k}; ask for at least 1 hit.")
    there = queries if gallery is None else gallery
    classes, is_ordinal = _classes([*queries, *there])
    pool = pool_of(there, classes)
    _check(queries, pool, is_other=gallery is not None, may_share_groups=may_share_groups)
    asked = [query for query in queries if query.label is not None]
    answerable = [query for query in asked if pool.counts_for(query)[classes[query.label or ""]]]
    if not answerable:
        raise ItemsError(
            f"None of {len(queries)} queries can be answered: {len(queries) - len(asked)} have no label, and "
            f"for {len(asked)} the gallery has their label in their own group alone, or not at all. "
            "Label more items, of more groups."
        )
    found = dict(_answers(answerable, search, k, pool, apart))
    rankings = tuple(_ranking(query, found[query.id][0], pool, classes) for query in answerable)
    group_codes: dict[str, int] = {}
    return Study(
        classes=tuple(classes),
        is_ordinal=is_ordinal,
        k=k,
        query_ids=tuple(query.id for query in answerable),
        groups=np.array(
            [group_codes.setdefault(_group_key(query), len(group_codes)) for query in answerable],
            dtype=np.int64,
        ),
        rankings=rankings,
        leaking=tuple(
            _ranking(query, found[query.id][1], pool, classes, leaves_group=False) for query in answerable
        ),
        hits=tuple(found[query.id][0] for query in answerable),
        own=np.array([_own(query, pool, classes) for query in answerable], dtype=np.int64),
        pool=pool,
        notes=notes_of(queries, answerable, rankings, pool=pool, classes=classes, k=k),
    )


def _classes(items: Sequence[Item]) -> tuple[Mapping[str, int], bool]:
    labels = {item.label for item in items if item.label is not None}
    order = label_order(labels)
    return {label: code for code, label in enumerate(order or sorted(labels))}, order is not None


def _check(queries: Sequence[Item], pool: Pool, *, is_other: bool, may_share_groups: bool) -> None:
    present = int((pool.counts > 0).sum())
    if present < _MIN_CLASSES:
        raise ItemsError(
            f"The gallery's {pool.n_items} items have {present} different labels; measuring takes two. "
            "Name a column that tells them apart."
        )
    if is_other and not may_share_groups:
        shared = [query for query in queries if pool.n_excluded(query)]
        if shared:
            raise ItemsError(
                f"{len(shared)} of {len(queries)} queries have their group ({_n_groups(shared)} in all) or "
                "themselves in the gallery. Take them out, or allow shared groups: then each query's own "
                "group is left out of its gallery."
            )


def _answers(
    queries: Sequence[Item], search: Search, k: int, pool: Pool, apart: Search | None
) -> Iterator[tuple[str, tuple[NDArray[np.int64], NDArray[np.int64]]]]:
    """The places of each query's hits without its group, and without itself alone."""
    waiting = sorted(queries, key=pool.n_excluded)
    for start in range(0, len(waiting), _N_AT_ONCE):
        batch = waiting[start : start + _N_AT_ONCE]
        n_to_leave_out = 0 if apart else max(map(pool.n_excluded, batch))
        depth = min(k + n_to_leave_out, pool.n_items)
        while batch:
            short = []
            query_ids = [query.id for query in batch]
            found = search(query_ids, depth)
            without = found if apart in (None, search) else apart(query_ids, depth)
            for query, hits, fair_hits in zip(batch, found, without, strict=True):
                fair, leaking = pool.eligible(query, fair_hits)[0], pool.eligible(query, hits)[1]
                # Items without a label may have taken the places.
                if min(len(fair), len(leaking)) < k and len(fair_hits) == depth < pool.n_items:
                    short.append(query)
                else:
                    yield query.id, (fair[:k], leaking[:k])
            batch, depth = short, min(depth * 4, pool.n_items)


def _ranking(
    query: Item,
    places: NDArray[np.int64],
    pool: Pool,
    classes: Mapping[str, int],
    *,
    leaves_group: bool = True,
) -> Ranking:
    eligible = pool.counts_for(query) if leaves_group else pool.counts_but(query)
    return Ranking(classes[query.label or ""], pool.codes[places], eligible)


def _own(query: Item, pool: Pool, classes: Mapping[str, int]) -> int:
    """The query's place in the pool; -1 where it is not there, or goes by another label there."""
    place = pool.places.get(query.id, -1)
    return place if place >= 0 and pool.codes[place] == classes[query.label or ""] else -1


def _group_key(item: Item) -> str:
    return f"group {item.group}" if item.group is not None else f"item {item.id}"


def _n_groups(items: Sequence[Item]) -> str:
    n_groups = len(Counter(map(_group_key, items)))
    return f"{n_groups} group" + ("s" if n_groups > 1 else "")
