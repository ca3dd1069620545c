"""What a search for duplicates found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from cbir.types import Item

Kind = Literal["bytes", "pixels", "near"]
"""``bytes``: the same file content; ``pixels``: the same picture in other bytes; ``near``: alike."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two items that are one image, or alike.

    Args:
        first: of the two, by id.
        second: the other.
        score: their cosine; 1 where bytes or pixels are the same.
        n_bits: in how many bits the perceptual hashes of their thumbnails differ, turned and mirrored as they
            differ least: up to ``cbir.items.phash.NEAR_BITS`` they are one picture. None where it is not
            known, or needs no telling.
        turn: what was done to the first to differ least, of ``cbir.items.phash.TURNS``; None likewise.
    """

    first: Item
    second: Item
    score: float = 1.0
    n_bits: int | None = None
    turn: str | None = None

    @property
    def crosses_groups(self) -> bool:
        """Whether they are of two patients: one of the two is filed wrongly, or a copy leaks."""
        return None not in {self.first.group, self.second.group} and self.first.group != self.second.group


@dataclass(frozen=True, slots=True)
class Cluster:
    """Items that belong together.

    Args:
        kind: why.
        pairs: that connect them, the most alike first: one fewer than there are images, at least.
    """

    kind: Kind
    pairs: tuple[Pair, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        """All of them, by id."""
        found = {item.id: item for pair in self.pairs for item in (pair.first, pair.second)}
        return tuple(found[item_id] for item_id in sorted(found))

    @property
    def crosses_groups(self) -> bool:
        """Whether they are of more patients than one."""
        return len({item.group for item in self.items} - {None}) > 1


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Everything that was found.

    Args:
        clusters: by kind; an image is told by its strongest kind: a near pair has other pixels.
        near: the least cosine of a near pair.
        across: the column that the pairs cross; None where all were looked for.
        n_items: looked at.
        n_crowded: items with more near neighbours than were asked for, some of which may be missing.
        files: those that were the same DICOM instance as an item, in other bytes, and became none.
    """

    clusters: tuple[Cluster, ...]
    near: float
    across: str | None
    n_items: int
    n_crowded: int = 0
    files: tuple[str, ...] = ()

    def counts(self) -> dict[Kind, int]:
        """How many clusters there are of each kind."""
        found = Counter(cluster.kind for cluster in self.clusters)
        return {"bytes": found["bytes"], "pixels": found["pixels"], "near": found["near"]}
