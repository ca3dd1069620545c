"""The nouns of retrieval, shared by every package: item, query, hit, label prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Scalar = str | int | float | bool | None
"""A metadata value."""


@dataclass(frozen=True, slots=True)
class Item:
    """One image of a gallery (for a multi-frame file: one frame).

    Args:
        id: opaque and stable; says nothing about the file or the patient.
        path: where the file was when it was last indexed.
        frame: from 0; 0 for a single image.
        label: what it was, as text; None when unknown.
        group: the patient (or whatever must not leak between query and gallery).
        metadata: every other column of the items file, and the allowed DICOM values.
    """

    id: str
    path: str
    frame: int = 0
    label: str | None = None
    group: str | None = None
    metadata: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for.

    Args:
        embedding: (dim,), unit length; or, of an image in parts, (n_parts, dim), unit rows.
        fingerprint: of the extractor that made the embedding.
        item_id: set when the query is itself an item of the gallery, which then is no hit of its own.
        group: the query's patient, when known.
        without: ids of more items that are no hits of it: those that somebody has judged already.
        more_groups: patients who speak in it beside the first, and are left out where that one is.
    """

    embedding: NDArray[np.float32]
    fingerprint: str
    item_id: str | None = None
    group: str | None = None
    without: frozenset[str] = frozenset()
    more_groups: frozenset[str] = frozenset()

    @property
    def no_hits(self) -> frozenset[str]:
        """The ids of all items that are no hits of it."""
        return self.without if self.item_id is None else self.without | {self.item_id}


@dataclass(frozen=True, slots=True)
class Hit:
    """One answer.

    Args:
        rank: from 1.
        score: the cosine, higher is better; of parts, the greatest of any of the query's with any of the
            item's; of a refined search, what the last refinement orders by.
        item: what was found.
        box: x, y, width and height of the part that made the score, in pixels of the image as read; None
            where the image was taken as a whole.
    """

    rank: int
    score: float
    item: Item
    box: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class LabelPrediction:
    """An answer to "what is it?", with the hits that speak for and against it.

    Args:
        label: None when the predictor abstains.
        probabilities: of every label, the most probable first.
        support: the hits with the most probable label, best first.
        against: those with another.
        n_unlabelled: hits that say nothing.
        label_set: labels among which the right one is as surely as the calibration chose; where nothing is
            calibrated, the most probable one.
        is_calibrated: whether the probabilities mean what they say.
        why: it abstains; empty where it answers.
    """

    label: str | None
    probabilities: Mapping[str, float]
    support: tuple[Hit, ...]
    against: tuple[Hit, ...]
    n_unlabelled: int
    label_set: tuple[str, ...]
    is_calibrated: bool
    why: str = ""

    @property
    def candidate(self) -> str:
        """The most probable label, also when abstaining."""
        return next(iter(self.probabilities))

    @property
    def probability(self) -> float:
        """Of the most probable label."""
        return self.probabilities[self.candidate]


class Embedder(Protocol):
    """Prepared pixels to unit vectors."""

    @property
    def fingerprint(self) -> str:
        """Of the spec that decides the vectors' numbers."""
        ...

    @property
    def dim(self) -> int:
        """Of the vectors."""
        ...

    def embed(self, prepared: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Embed a batch.

        Args:
            prepared: one array a branch, (B, C, H, W), as the branch's preprocessing leaves it.

        Returns:
            (B, dim), unit rows.

        Raises:
            VectorError: the network answered with a row that is not finite, or zero.
        """
        ...


class Reranker(Protocol):
    """Takes hits and gives the same hits in a new order, ranks and scores its own."""

    def rerank(self, query: Query, hits: Sequence[Hit]) -> list[Hit]:
        """Order the hits anew."""
        ...
