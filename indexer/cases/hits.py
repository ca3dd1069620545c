"""The nouns of a search by case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cbir.types import Item, Query
from indexer.cases.aspect import Aspect, aspect_of


@dataclass(frozen=True, slots=True)
class CaseImage:
    """One image of a query.

    Args:
        name: what a person calls it: a path, or an item's id.
        query: ready for ``Index.search``.
        aspect: side and view, where they are known.
    """

    name: str
    query: Query
    aspect: Aspect


@dataclass(frozen=True, slots=True)
class CaseQuery:
    """What is searched for: the images of one examination.

    Args:
        images: at least one.
        case: set when the query is itself a case of the gallery, which then is no hit of its own.
    """

    images: tuple[CaseImage, ...]
    case: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two images that were taken for the same view of two cases.

    Args:
        image: the query's, by its place there.
        item: of the case that was found.
        score: the cosine, in (0, 1].
        box: as in a hit.
    """

    image: int
    item: Item
    score: float
    box: tuple[int, int, int, int] | None = None

    @property
    def aspect(self) -> Aspect:
        """Of the item."""
        return aspect_of(self.item.metadata)


@dataclass(frozen=True, slots=True)
class CaseHit:
    """One answer.

    Args:
        rank: from 1.
        score: in [0, 1], higher is better: see ``case_score``.
        case: what was found.
        label: of those of its items that could be found: theirs when those that have one agree, else None.
        group: likewise.
        n_items: how many of its items could be found.
        pairs: by the query's images.
    """

    rank: int
    score: float
    case: str
    label: str | None
    group: str | None
    n_items: int
    pairs: tuple[Pair, ...]


def agreed(values: Iterable[str | None]) -> str | None:
    """What all say that say something; None when they disagree, or none does."""
    said = {value for value in values if value is not None}
    return said.pop() if len(said) == 1 else None
