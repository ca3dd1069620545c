"""What a gallery holds, and what is left of it for one query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cbir.types import Item

_UNLABELLED = -1


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """A gallery by id and by group.

    Args:
        codes: by id, of every item; -1 without a label.
        groups: by id.
        members: ids by group.
        counts: (n_classes,), labelled items of each class.
    """

    codes: Mapping[str, int]
    groups: Mapping[str, str | None]
    members: Mapping[str, Sequence[str]]
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
        if query.group is None or (query.id in self.groups and self.groups[query.id] != query.group):
            return self._without(self._excluded(query))
        if query.group not in self._counts_by_group:
            self._counts_by_group[query.group] = self._without(self._excluded(query))
        return self._counts_by_group[query.group]

    def counts_but(self, query: Item) -> NDArray[np.int64]:
        """(n_classes,), labelled and not the query itself."""
        return self._without([query.id] if query.id in self.codes else [])

    def codes_of(self, query: Item, hits: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The codes of the labelled hits without the query's group, and without the query alone.

        Raises:
            ValueError: a hit is not in the gallery.
        """
        fair, leaking = [], []
        for hit in hits:
            code = self.codes.get(hit)
            if code is None:
                raise ValueError(
                    f"The search found {hit!r}, which is not in the gallery of {self.n_items} items."
                )
            if code == _UNLABELLED or hit == query.id:
                continue
            leaking.append(code)
            if query.group is None or self.groups[hit] != query.group:
                fair.append(code)
        return np.array(fair, dtype=np.int64), np.array(leaking, dtype=np.int64)

    def _excluded(self, query: Item) -> Sequence[str]:
        members = self.members.get(query.group, ()) if query.group is not None else ()
        is_beside = query.id in self.codes and (query.group is None or self.groups[query.id] != query.group)
        return [*members, query.id] if is_beside else members

    def _without(self, ids: Sequence[str]) -> NDArray[np.int64]:
        codes = np.array(
            [self.codes[each] for each in ids if self.codes[each] != _UNLABELLED], dtype=np.int64
        )
        return self.counts - np.bincount(codes, minlength=len(self.counts))


def pool_of(gallery: Sequence[Item], classes: Mapping[str, int]) -> Pool:
    """Sort a gallery by id and group.

    Args:
        gallery: with labels and groups.
        classes: a code for every label.
    """
    codes = {item.id: _UNLABELLED if item.label is None else classes[item.label] for item in gallery}
    members: defaultdict[str, list[str]] = defaultdict(list)
    for item in gallery:
        if item.group is not None:
            members[item.group].append(item.id)
    labelled = np.array([code for code in codes.values() if code != _UNLABELLED], dtype=np.int64)
    counts = np.bincount(labelled, minlength=len(classes))
    return Pool(codes, {item.id: item.group for item in gallery}, members, counts)
