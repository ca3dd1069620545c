"""A gallery whose search is a plain sort of scores: the oracle for everything about the protocol."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cbir.evaluation.protocol import Search
from cbir.types import Item


def item(number: int, label: str | None, group: str | None, name: str = "i") -> Item:
    item_id = f"{name}{number:04}"
    return Item(item_id, f"/g/{item_id}", label=label, group=group)


def items_of(labels: Sequence[str | None], groups: Sequence[str | None], name: str = "i") -> list[Item]:
    return [
        item(number, label, group, name)
        for number, (label, group) in enumerate(zip(labels, groups, strict=True))
    ]


def sorted_ids(query_id: str, gallery: Sequence[Item]) -> list[str]:
    """A fixed random order for each query, in which its own item comes first."""
    rng = np.random.default_rng(list(query_id.encode()))
    scores = rng.random(len(gallery))
    return [
        gallery[place].id
        for place in sorted(range(len(gallery)), key=lambda at: (gallery[at].id != query_id, scores[at]))
    ]


def search_in(gallery: Sequence[Item]) -> Search:
    def search(query_ids: Sequence[str], depth: int) -> list[list[str]]:
        return [sorted_ids(query_id, gallery)[:depth] for query_id in query_ids]

    return search
