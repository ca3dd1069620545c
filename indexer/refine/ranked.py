"""Hits with new scores, in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cbir.types import Hit


def ranked(hits: Sequence[Hit], scores: NDArray[np.float32] | NDArray[np.float64], k: int) -> list[Hit]:
    """The ``k`` best of some hits by new scores, ordered by (−score, item id), ranks from 1."""
    scored = sorted(zip(scores.tolist(), hits, strict=True), key=lambda each: (-each[0], each[1].item.id))
    return [replace(hit, rank=rank, score=score) for rank, (score, hit) in enumerate(scored[:k], start=1)]
