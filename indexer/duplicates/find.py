"""Look for the images that an index holds more than once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from cbir.errors import ColumnError, SpecError
from cbir.items.where.holds import value_of
from cbir.types import Item, Scalar
from indexer.duplicates.near import NearPairs
from indexer.duplicates.pictures import compared
from indexer.duplicates.report import Cluster, Duplicates, Pair

if TYPE_CHECKING:
    from indexer.index import Index
    from indexer.storage.same import Shared

Value = Callable[[Item], Scalar]


def find_duplicates(
    index: Index,
    *,
    near: float = 0.98,
    across: str | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Duplicates:
    """Find images that are there more than once, in three kinds kept apart.

    The same bytes under several paths; the same pixels in other bytes; and images that are alike, by the
    index's own search: an approximate store may miss some. Near pairs are gathered into clusters (connected
    components), and their thumbnails compared.

    Args:
        index: resident, for it is asked as often as it has items.
        near: the least cosine of a near pair, above 0 and up to 1.
        across: a column (``group``, ``label`` or any other): only pairs that have two values of it.
        on_progress: told how many items were asked, now and then.

    Raises:
        SpecError: ``near`` out of its range.
        ColumnError: no item has the column.
    """
    if not 0 < near <= 1:
        raise SpecError(f"near is {near:g}; use a cosine above 0 and up to 1, such as 0.98.")
    value = _values(index, across)
    same: dict[str, str] = {}
    clusters = [*_sharing(index, "bytes", value, same), *_sharing(index, "pixels", value, same)]
    pairs = NearPairs(index, near, on_progress)
    found = _Components(same)
    for one, other, score in pairs:
        if _crosses(one, other, value):
            first, second = sorted((one, other), key=lambda item: item.id)
            found.join(first, second, score)
    clusters += [
        Cluster("near", tuple(compared(index, pair) for pair in each)) for each in found.components()
    ]
    return Duplicates(
        tuple(clusters), near, across, pairs.n_items, pairs.n_crowded, tuple(_files_without_item(index))
    )


class _Components:
    """Connected components of pairs; of each the pairs that connected it are kept, and no more.

    Args:
        same: item ids that are one image, each with that image's name; joined before.
    """

    def __init__(self, same: dict[str, str]) -> None:
        self._same = same
        self._parent: dict[str, str] = {}
        self._pairs: list[Pair] = []

    def join(self, first: Item, second: Item, score: float) -> None:
        """Take a pair, unless the two are one image or connected already."""
        one, other = self._root(self._name(first)), self._root(self._name(second))
        if one != other:
            self._parent[max(one, other)] = min(one, other)
            self._pairs.append(Pair(first, second, score))

    def components(self) -> list[list[Pair]]:
        """The pairs of each, the most alike first; the component with the most alike pair first."""
        best_first = sorted(self._pairs, key=lambda pair: (-pair.score, pair.first.id, pair.second.id))
        found: dict[str, list[Pair]] = {}
        for pair in best_first:
            found.setdefault(self._root(self._name(pair.first)), []).append(pair)
        return list(found.values())

    def _name(self, item: Item) -> str:
        return self._same.get(item.id, item.id)

    def _root(self, name: str) -> str:
        parent = self._parent.setdefault(name, name)
        while parent != name:
            self._parent[name] = grandparent = self._parent[parent]
            name, parent = grandparent, self._parent[grandparent]
        return name


def _sharing(index: Index, what: Shared, value: Value, same: dict[str, str]) -> Iterator[Cluster]:
    """The clusters of items that share bytes or pixels; ``same`` learns which items are one image."""
    for ids in index.items_that_share(what):
        names = {item_id: same.get(item_id, item_id) for item_id in ids}
        same.update(dict.fromkeys(ids, ids[0]))
        if len(set(names.values())) > 1 and (
            pairs := _told([index.item(each) for each in ids], names, value)
        ):
            yield Cluster(what, pairs)


def _told(items: list[Item], names: dict[str, str], value: Value) -> tuple[Pair, ...]:
    """Each item with the first one of another name and value, where there is one."""
    firsts: dict[tuple[Scalar, str], Item] = {}
    for item in items:
        firsts.setdefault((value(item), names[item.id]), item)
    pairs: dict[tuple[str, str], Pair] = {}
    for item in items:
        others = (each for (_, name), each in firsts.items() if name != names[item.id])
        partner = next((each for each in others if _crosses(item, each, value)), None)
        if partner is not None:
            first, second = sorted((item, partner), key=lambda each: each.id)
            pairs[first.id, second.id] = Pair(first, second)
    return tuple(pairs[ids] for ids in sorted(pairs))


def _crosses(one: Item, other: Item, value: Value) -> bool:
    """Whether both have a value, and not the same."""
    values = value(one), value(other)
    return None not in values and values[0] != values[1]


def _values(index: Index, column: str | None) -> Value:
    """What tells the items of a pair apart: the column's value, or that they are two."""
    if column is None:
        return lambda item: item.id
    known: set[str] = set()
    for item in index.items():
        if value_of(item, column) is not None:
            return lambda item: value_of(item, column)
        known |= item.metadata.keys()
    raise ColumnError(f"Index {index.path}", column, {"label", "group", *known})


def _files_without_item(index: Index) -> Iterator[str]:
    """Files that are known as duplicates, and whose bytes are no item's."""
    for record in index.files():
        if record.outcome == "duplicate" and record.sha256 and not index.items_by_content(record.sha256):
            yield record.path
