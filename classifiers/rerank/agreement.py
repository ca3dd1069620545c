"""Hits by what a classifier says of them and of the query, blended with how similar they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cbir.errors import SpecError
from cbir.types import Hit, Query

Posteriors = Callable[[Sequence[str]], NDArray[np.float32]]
"""Of items, by id: (n, n_classes), rows of NaN where nothing is known."""


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Implements :class:`cbir.types.Reranker`: score = (1 − blend)·similarity + blend·agreement.

    A hit that no posterior is known of keeps its similarity alone: it counts as if it agreed as much as the
    others do in the mean. Where the query has none, hits and scores stay as they are. Equal scores are
    ordered by item id.

    Args:
        posteriors: of the gallery's items.
        is_ordinal: whether the classes are grades, in their order.
        blend: from 0, similarity alone, to 1, agreement alone.
        asked: (n_classes,), of the query; None looks it up by the query's item id.

    Raises:
        SpecError: a blend that is not from 0 to 1.
    """

    posteriors: Posteriors
    is_ordinal: bool
    blend: float
    asked: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.blend <= 1:
            raise SpecError(f"The blend is {self.blend:g}; use a number from 0 to 1.")

    def rerank(self, query: Query, hits: Sequence[Hit]) -> list[Hit]:
        """The same hits by their new scores, ranks from 1."""
        agreed = self.agreements(query, hits)
        is_known = np.isfinite(agreed)
        if not is_known.any():
            return list(hits)
        agreed[~is_known] = agreed[is_known].mean()
        similar = np.array([hit.score for hit in hits], dtype=np.float64)
        scores = (1 - self.blend) * similar + self.blend * agreed
        best = sorted(zip(scores.tolist(), hits, strict=True), key=lambda each: (-each[0], each[1].item.id))
        return [replace(hit, rank=rank, score=score) for rank, (score, hit) in enumerate(best, start=1)]

    def agreements(self, query: Query, hits: Sequence[Hit]) -> NDArray[np.float64]:
        """(n,), from 0 to 1, of each hit with the query; NaN where one of the two has no posterior."""
        known = self.posteriors([hit.item.id for hit in hits])
        return agreement(self.of_query(query, known.shape[1]), known, is_ordinal=self.is_ordinal)

    def of_query(self, query: Query, n_classes: int) -> NDArray[np.float32]:
        """(n_classes,), the query's posterior; of NaN where there is none."""
        if self.asked is not None:
            return self.asked
        if query.item_id is None:
            return np.full(n_classes, np.nan, dtype=np.float32)
        found: NDArray[np.float32] = self.posteriors([query.item_id])[0]
        return found


def agreement(
    asked: NDArray[np.float32], found: NDArray[np.float32], *, is_ordinal: bool
) -> NDArray[np.float64]:
    """How much posteriors agree: the chance that two draws, one of each, are of one class.

    Of grades, one minus the expected distance of the draws, in steps, over the longest there is.

    Args:
        asked: (n_classes,).
        found: (n, n_classes).
        is_ordinal: whether the classes are grades, in their order.

    Returns:
        (n,), from 0 to 1; NaN where a posterior is.
    """
    n_classes = len(asked)
    if is_ordinal:
        steps = np.arange(n_classes)
        alike = 1 - np.abs(steps[:, np.newaxis] - steps) / max(1, n_classes - 1)
    else:
        alike = np.eye(n_classes)
    agreed: NDArray[np.float64] = found.astype(np.float64) @ (alike @ asked.astype(np.float64))
    return agreed
