"""What two indexes have in common, and what not."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from indexer.listing import Order, pages
from indexer.storage.opened import open_generation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from indexer.catalog import Catalog
    from indexer.embeddings import Embeddings
    from indexer.listing import Listed
    from indexer.manifest import Manifest
    from indexer.storage.records import JSON

SAME_WITHIN = 1e-6
"""Values of an embedding that are nearer than this are called the same: no score tells them apart."""

N_EXAMPLES = 5
_MAX_WAITING = 4096

Key = tuple[bytes, int, int]
Pair = tuple["Listed | None", "Listed | None"]


@dataclass(slots=True)
class Findings:
    """How many items, and the paths of the first few."""

    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, path: str) -> None:
        """Count one more."""
        self.count += 1
        if self.count <= N_EXAMPLES:
            self.examples.append(path)


@dataclass(slots=True)
class Difference:
    """What index B has other than A.

    Args:
        order: what makes two items the same one: their path, or their bytes; and the frame.
        fingerprints: of A's and of B's extractor.
        n_items: of A and of B.
        settings: what the manifests say of themselves, where that differs.
        only_a: items that B does not have.
        only_b: items that A does not have.
        other_bytes: items whose file has other bytes.
        other_annotations: items with another label, group or metadata.
        columns: how many items differ in each of these.
        other_embeddings: items of the same bytes whose embeddings differ, in number or by more than
            SAME_WITHIN; counted only where the dimensions are the same.
        largest_delta: of any value of the embeddings compared; None where none were.
        n_same: items without any difference.
    """

    order: Order
    fingerprints: tuple[str, str]
    n_items: tuple[int, int]
    settings: dict[str, tuple[JSON, JSON]]
    only_a: Findings = field(default_factory=Findings)
    only_b: Findings = field(default_factory=Findings)
    other_bytes: Findings = field(default_factory=Findings)
    other_annotations: Findings = field(default_factory=Findings)
    columns: Counter[str] = field(default_factory=Counter)
    other_embeddings: Findings = field(default_factory=Findings)
    largest_delta: float | None = None
    n_same: int = 0

    @property
    def same_extractor(self) -> bool:
        """Whether the embeddings are comparable at all."""
        return self.fingerprints[0] == self.fingerprints[1]

    @property
    def equal(self) -> bool:
        """Whether both find the same: settings may differ."""
        return self.same_extractor and self.n_same == self.n_items[0] == self.n_items[1]


def compare_indexes(a: Path, b: Path, *, order: Order = "path") -> Difference:
    """Walk through two indexes side by side; memory stays small.

    Args:
        a: an index directory.
        b: another.
        order: ``content`` recognises an image that lies under another path.

    Raises:
        IndexMissingError: one is not there.
        IndexDamagedError: a file of one does not fit its checksum.
    """
    one = open_generation(a)
    with closing(one.catalog):
        other = open_generation(b)
        with closing(other.catalog):
            found = Difference(
                order,
                (one.manifest.fingerprint, other.manifest.fingerprint),
                (one.manifest.n_items, other.manifest.n_items),
                _settings(one.manifest, other.manifest),
            )
            walk = _Walk(found, one.embeddings, other.embeddings)
            for pair in _pairs(one.catalog, other.catalog, order):
                walk.take(pair)
            walk.compare_waiting()
            return found


def _settings(a: Manifest, b: Manifest) -> dict[str, tuple[JSON, JSON]]:
    said: list[dict[str, JSON]] = [
        {"format": each.format, "dim": each.dim, "store": each.store.kind, "spec": dict(each.spec)}
        for each in (a, b)
    ]
    return {name: (value, said[1][name]) for name, value in said[0].items() if value != said[1][name]}


def _pairs(a: Catalog, b: Catalog, order: Order) -> Iterator[Pair]:
    """Every item once, beside the same one of the other index where it has it."""
    left, right = _keyed(a, order), _keyed(b, order)
    mine, yours = next(left, None), next(right, None)
    while mine or yours:
        if yours is None or (mine is not None and mine[0] < yours[0]):
            yield (mine[1] if mine else None), None
            mine = next(left, None)
        elif mine is None or yours[0] < mine[0]:
            yield None, yours[1]
            yours = next(right, None)
        else:
            yield mine[1], yours[1]
            mine, yours = next(left, None), next(right, None)


def _keyed(catalog: Catalog, order: Order) -> Iterator[tuple[Key, Listed]]:
    """Items with what they are recognised by; several on the same bytes are told apart by their number."""
    last: tuple[bytes, int] | None = None
    number = 0
    for page in pages(catalog, order):
        for listed in page:
            what = os.fsencode(listed.item.path) if order == "path" else bytes.fromhex(listed.sha256)
            key = what, listed.item.frame
            number = number + 1 if key == last else 0
            last = key
            yield (*key, number), listed


class _Walk:
    """Counts pair by pair; embeddings wait until there are enough to be read in one go."""

    def __init__(self, found: Difference, a: Embeddings, b: Embeddings) -> None:
        self._found = found
        self._a = a
        self._b = b
        self._waiting: list[tuple[Listed, Listed, bool]] = []
        self._n_rows = 0

    def take(self, pair: Pair) -> None:
        """Count one."""
        mine, yours = pair
        if mine is None or yours is None:
            if mine:
                self._found.only_a.add(mine.item.path)
            if yours:
                self._found.only_b.add(yours.item.path)
            return
        differs = self._annotations(mine, yours)
        if mine.sha256 != yours.sha256:
            self._found.other_bytes.add(mine.item.path)
        elif self._a.dim == self._b.dim and len(mine.rows) != len(yours.rows):
            self._found.other_embeddings.add(mine.item.path)
        elif self._a.dim == self._b.dim:
            self._waiting.append((mine, yours, differs))
            self._n_rows += len(mine.rows)
            if self._n_rows >= _MAX_WAITING:
                self.compare_waiting()

    def compare_waiting(self) -> None:
        """Compare the embeddings of the pairs that wait."""
        if not self._waiting:
            return
        mine = self._a.gather(_rows(mine for mine, _, _ in self._waiting))
        yours = self._b.gather(_rows(yours for _, yours, _ in self._waiting))
        deltas = np.abs(mine - yours).max(axis=1)
        self._found.largest_delta = max(self._found.largest_delta or 0.0, float(deltas.max()))
        starts = np.cumsum([0, *(len(each.rows) for each, _, _ in self._waiting)])[:-1]
        for (each, _, differs), delta in zip(self._waiting, np.maximum.reduceat(deltas, starts), strict=True):
            if delta > SAME_WITHIN:
                self._found.other_embeddings.add(each.item.path)
            elif not differs:
                self._found.n_same += 1
        self._waiting, self._n_rows = [], 0

    def _annotations(self, mine: Listed, yours: Listed) -> bool:
        """Count what is said otherwise; whether there is any."""
        said = [
            {**each.item.metadata, "label": each.item.label, "group": each.item.group}
            for each in (mine, yours)
        ]
        columns = [name for name in {**said[0], **said[1]} if said[0].get(name) != said[1].get(name)]
        self._found.columns.update(columns)
        if columns:
            self._found.other_annotations.add(mine.item.path)
        return bool(columns)


def _rows(items: Iterable[Listed]) -> NDArray[np.int64]:
    return np.array([row for each in items for row in each.rows], dtype=np.int64)
