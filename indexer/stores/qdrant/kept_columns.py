"""Which columns a server can filter by, kept up to date while items come.

What is kept is each column's kind, or ``mixed`` for one that the engine would compare in another way than we
do; a column that was mixed once stays so until the collection is made anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from cbir.items.where import Kind
from indexer.stores.qdrant.payload import columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cbir.types import Item
    from indexer.storage.records import JSON

Kept = Kind | Literal["mixed"]

_KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}


def learn(items: Iterable[Item]) -> dict[str, Kept]:
    """What the columns of some items are."""
    seen: set[str] = set()

    def watched() -> Iterator[Item]:
        for item in items:
            seen.update(item.metadata)
            yield item

    plain = columns_of(watched())
    return {name: plain.get(name, "mixed") for name in sorted(seen | plain.keys())}


def merged(before: Mapping[str, Kept], more: Mapping[str, Kept]) -> dict[str, Kept]:
    """What they are together."""
    both = {name: kind if more.get(name, kind) == kind else "mixed" for name, kind in before.items()}
    return {**more, **both}


def kept_in(settings: Mapping[str, JSON]) -> dict[str, Kept]:
    """As a manifest's store settings tell it."""
    said = settings.get("columns")
    columns = said if isinstance(said, dict) else {}
    return {name: _KINDS.get(str(kind), "mixed") for name, kind in columns.items()}


def filterable(columns: Mapping[str, Kept]) -> dict[str, Kind]:
    """Those that can be filtered by."""
    return {name: _KINDS[kind] for name, kind in columns.items() if kind in _KINDS}
