"""What a search found, as every renderer takes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cbir.types import Hit

if TYPE_CHECKING:
    from cbir.images.tiles import Box
    from deploy.labelling.predicting import Predicted

_WHOLE_MS = 10
SHOWN_METADATA = ("side", "laterality", "view", "density")
"""What a table or a card shows of an item's metadata, where it is known."""


@dataclass(frozen=True, slots=True)
class ExplainedHit:
    """Where a hit resembles the query, as a page shows it.

    Args:
        query: JPEG of the query with its map; empty where there is none.
        hit: JPEG of the hit; without a map where its file is gone.
        method: how the maps were found, in words.
        note: what could not be done; empty for nothing.
    """

    query: bytes
    hit: bytes
    method: str
    note: str


@dataclass(frozen=True, slots=True)
class Reranked:
    """What was done to the hits after the search.

    Args:
        by: the attached classifier.
        depth: how many hits were ordered anew, at most.
        blend: score = (1 − blend)·cosine + blend·agreement.
        is_tuned: whether somebody has chosen the blend by what it finds.
        posterior: of the query, by class; empty where it has none.
        cosines: of every hit that was ordered anew, by item id.
        agreements: likewise; None where one of the two has no posterior.
    """

    by: str
    depth: int
    blend: float
    is_tuned: bool
    posterior: Mapping[str, float]
    cosines: Mapping[str, float]
    agreements: Mapping[str, float | None]

    def said(self) -> str:
        """What the score is."""
        return f"{1 - self.blend:g} of the cosine and {self.blend:g} of the agreement by {self.by}"

    def notes(self) -> tuple[str, ...]:
        """What a reader must know."""
        if not self.posterior:
            return (f"no posterior of {self.by}: the hits are in the order of the plain search",)
        n_unknown = sum(each is None for each in self.agreements.values())
        if not n_unknown:
            return ()
        said = f"{n_unknown} of {len(self.agreements)} hits have no posterior of {self.by}"
        return (f"{said}, and stand by their cosine alone: run cbir classify attach again",)


@dataclass(frozen=True, slots=True)
class Answer:
    """Hits with what a reader wants to know about them.

    Args:
        query: as the user named it: a path, or an item id, or the ids of the liked items alone.
        query_item: the item, when the query is one.
        query_label: its label, when known.
        k: as asked for; there may be fewer hits.
        index: its directory.
        fingerprint: of its extractor.
        generation: of the index.
        n_items: in the index.
        hits: best first.
        seconds: by stage, and ``total``.
        refined_by: the refinements of the search, as ``--refine`` takes them.
        notes: what reading did to the query.
        query_thumbnail: JPEG; empty when no picture was asked for.
        thumbnails: JPEG by item id; empty likewise.
        region: x, y, width and height of the part of the query that was looked at; None for the whole.
        like: ids of the items that the query was moved towards.
        unlike: ids of those that it was moved away from.
        where: the condition that holds for the hits, as text; empty for none.
        predicted: what the query is; None where nobody asked.
        explained: by item id, where the hit resembles the query; empty when nobody asked.
        reranked: what was done to the hits after the search; None for nothing.
    """

    query: str
    query_item: str | None
    query_label: str | None
    k: int
    index: Path
    fingerprint: str
    generation: int
    n_items: int
    hits: tuple[Hit, ...]
    seconds: Mapping[str, float]
    refined_by: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    query_thumbnail: bytes = b""
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)
    region: Box | None = None
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    where: str = ""
    predicted: Predicted | None = None
    explained: Mapping[str, ExplainedHit] = field(default_factory=dict)
    reranked: Reranked | None = None

    def labels(self) -> dict[str, int]:
        """How many hits have each label, the most frequent first; hits without one are left out."""
        return dict(Counter(hit.item.label for hit in self.hits if hit.item.label is not None).most_common())

    def asked(self) -> str:
        """What was asked beside the query: which part, judged by which items, among which; or nothing."""
        said = [
            f"region {','.join(map(str, self.region))}" if self.region else "",
            f"more like {', '.join(self.like)}" if self.like else "",
            f"less like {', '.join(self.unlike)}" if self.unlike else "",
            f"where {self.where}" if self.where else "",
        ]
        return "; ".join(each for each in said if each)

    def summary(self) -> str:
        """One line: how many, of how many, in what time."""
        n_hits = f"{len(self.hits)} {'hit' if len(self.hits) == 1 else 'hits'}"
        return f"{n_hits} of {self.n_items} in {in_words(self.seconds)}"


def in_words(seconds: Mapping[str, float]) -> str:
    """Times by stage, with their total: ``0.12 s: open 3.1 ms, search 2.0``."""
    stages = [f"{name} {_milliseconds(value)}" for name, value in seconds.items() if name != "total"]
    if stages:
        stages[0] += " ms"
    return f"{seconds['total']:.2f} s: {', '.join(stages)}"


def _milliseconds(seconds: float) -> str:
    value = 1000 * seconds
    return f"{value:.0f}" if value >= _WHOLE_MS else f"{value:.1f}"
