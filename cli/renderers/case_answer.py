"""What a search by case found, as every renderer takes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cbir.items import Refused
from cli.renderers.answer import in_words
from indexer.cases import CaseHit


@dataclass(frozen=True, slots=True)
class AskedImage:
    """An image of the query.

    Args:
        name: its path, or the item's id.
        kind: side and view, as ``L CC``; ``?`` where neither is known.
        notes: what reading did to it.
        thumbnail: JPEG; empty when no picture was asked for.
    """

    name: str
    kind: str
    notes: tuple[str, ...] = ()
    thumbnail: bytes = b""


@dataclass(frozen=True, slots=True)
class CaseAnswer:
    """Cases with what a reader wants to know about them.

    Args:
        query: as the user named it.
        case: of the index, when the query is one.
        column: that tells the index's cases apart.
        images: of the query.
        skipped: files of the query that are no images, or can't be read.
        k: as asked for; there may be fewer hits.
        index: its directory.
        fingerprint: of its extractor.
        generation: of the index.
        n_cases: in the index.
        hits: best first.
        seconds: by stage, and ``total``.
        notes: what a reader must know; a sentence each.
        thumbnails: JPEG by item id; empty when no picture was asked for.
    """

    query: str
    case: str | None
    column: str
    images: tuple[AskedImage, ...]
    skipped: tuple[Refused, ...]
    k: int
    index: Path
    fingerprint: str
    generation: int
    n_cases: int
    hits: tuple[CaseHit, ...]
    seconds: Mapping[str, float]
    notes: tuple[str, ...] = ()
    thumbnails: Mapping[str, bytes] = field(default_factory=dict)

    def labels(self) -> dict[str, int]:
        """How many hits have each label, the most frequent first; hits without one are left out."""
        return dict(Counter(hit.label for hit in self.hits if hit.label is not None).most_common())

    def summary(self) -> str:
        """One line: how many, of how many, in what time."""
        n_hits = f"{len(self.hits)} {'case' if len(self.hits) == 1 else 'cases'}"
        n_images = f"{len(self.images)} {'image' if len(self.images) == 1 else 'images'}"
        return f"{n_hits} of {self.n_cases}, by {n_images}, in {in_words(self.seconds)}"
