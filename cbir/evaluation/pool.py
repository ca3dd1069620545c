"""What a gallery holds, and what is left of it for one query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cbir.types import Item

UNLABELLED = -1
"""The code of an item without a label."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """A gallery by id and by group; an item's place is its number in the gallery.

    Args:
        places: by id.
        codes: (n_items,), of the labels; -1 without one.
        groups: of each item.
        members: places by group.
        counts: (n_classes,), labelled items of each class.
    """

    places: Mapping[str, int]
    codes: NDArray[np.int64]
    groups: Sequence[str | None]
    members: Mapping[str, Sequence[int]]
    counts: NDArray[np.int64]
    _counts_by_group: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    @property
    def n_items(self) -> int:
        """With and without a label."""
        return len(self.codes)

    @property
    def n_unlabelled(self) -> int:
        """Without one."""
        return self.n_items - int(self.counts.sum())

    def n_excluded(self, query: Item) -> int:
        """How many items leave for this query: itself and its group, labelled or not."""
        return len(self._excluded(query))

    def counts_for(self, query: Item) -> NDArray[np.int64]:
        """(n_classes,), what is eligible: labelled, not the query, not of its group. Not to be written to."""
        if query.group is None or self._is_beside(query):
            return self._without(self._excluded(query))
        if query.group not in self._counts_by_group:
            self._counts_by_group[query.group] = self._without(self._excluded(query))
        return self._counts_by_group[query.group]

    def counts_but(self, query: Item) -> NDArray[np.int64]:
        """(n_classes,), labelled and not the query itself."""
        return self._without([self.places[query.id]] if query.id in self.places else [])

    def eligible(self, query: Item, hits: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The places of the labelled hits without the query's group, and without the query alone.

        Raises:
            ValueError: a hit is not in the gallery.
        """
        fair, leaking = [], []
        for hit in hits:
            place = self.places.get(hit)
            if place is None:
                raise ValueError(
                    f"The search found {hit!r}, which is not among the gallery's {self.n_items} items."
                )
            if self.codes[place] == UNLABELLED or hit == query.id:
                continue
            leaking.append(place)
            if query.group is None or self.groups[place] != query.group:
                fair.append(place)
        return np.array(fair, dtype=np.int64), np.array(leaking, dtype=np.int64)

    def _excluded(self, query: Item) -> Sequence[int]:
        members = self.members.get(query.group, ()) if query.group is not None else ()
        return [*members, self.places[query.id]] if self._is_beside(query) else members

    def _is_beside(self, query: Item) -> bool:
        """Whether the query is in the gallery, but not as one of its group."""
        place = self.places.get(query.id)
        return place is not None and (query.group is None or self.groups[place] != query.group)

    def _without(self, places: Sequence[int]) -> NDArray[np.int64]:
        codes = self.codes[np.array(places, dtype=np.int64)]
        return self.counts - np.bincount(codes[codes != UNLABELLED], minlength=len(self.counts))


def pool_of(gallery: Sequence[Item], classes: Mapping[str, int]) -> Pool:
    """Sort a gallery by id and group.

    Args:
        gallery: with labels and groups.
        classes: a code for every label.
    """
    codes = np.array(
        [UNLABELLED if item.label is None else classes[item.label] for item in gallery], dtype=np.int64
    )
    members: defaultdict[str, list[int]] = defaultdict(list)
    for place, item in enumerate(gallery):
        if item.group is not None:
            members[item.group].append(place)
    return Pool(
        places={item.id: place for place, item in enumerate(gallery)},
        codes=codes,
        groups=[item.group for item in gallery],
        members=members,
        counts=np.bincount(codes[codes != UNLABELLED], minlength=len(classes)),
    )
