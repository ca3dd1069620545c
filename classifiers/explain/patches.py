"""The places of two images that are most like each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifiers.explain.seen import Seen

    Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PatchPair:
    """Two places, each the best match of the other.

    Args:
        query: x, y of the middle, in pixels of the image as read.
        hit: likewise.
        cosine: of the two positions' features, less the mean of all positions of both images.
    """

    query: Point
    hit: Point
    cosine: float


def patch_pairs(
    query: Seen, hit: Seen, branch: int, input_shape: tuple[int, int, int], n: int = 5
) -> list[PatchPair]:
    """Find the positions that are each other's best match, the most alike first.

    What all positions share is taken off first: else every dark corner matches every other.

    Args:
        query: one image.
        hit: the other.
        branch: which has a map in both.
        input_shape: of that branch.
        n: so many at most.
    """
    ours, theirs = (_flat(each.maps[branch]) for each in (query, hit))
    common = np.concatenate([ours, theirs]).mean(axis=0)
    ours, theirs = _unit(ours - common), _unit(theirs - common)
    cosines = ours @ theirs.T
    best = cosines.argmax(axis=1)
    mutual = np.flatnonzero(cosines.argmax(axis=0)[best] == np.arange(len(best)))
    order = mutual[np.argsort(-cosines[mutual, best[mutual]], kind="stable")][:n]
    return [
        PatchPair(
            _middle(query, branch, int(one), input_shape),
            _middle(hit, branch, int(best[one]), input_shape),
            float(cosines[one, best[one]]),
        )
        for one in order
    ]


def _flat(maps: NDArray[np.float32] | None) -> NDArray[np.float64]:
    """(tiles · rows · columns, D)."""
    if maps is None:
        raise ValueError("The branch has no map.")
    return maps.transpose(0, 2, 3, 1).reshape(-1, maps.shape[1]).astype(np.float64)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float64] = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return unit


def _middle(seen: Seen, branch: int, position: int, input_shape: tuple[int, int, int]) -> Point:
    maps = seen.maps[branch]
    if maps is None:
        raise ValueError("The branch has no map.")
    rows, columns = maps.shape[2:]
    tile, row, column = np.unravel_index(position, (len(maps), rows, columns))
    _, height, width = input_shape
    point = np.array([(column + 0.5) * width / columns, (row + 0.5) * height / rows, 1.0])
    x, y = seen.placements[branch][tile] @ point
    return round(float(x), 1), round(float(y), 1)
