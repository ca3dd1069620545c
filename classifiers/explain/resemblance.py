"""Where an image resembles another: each position's share of the cosine of their embeddings.

For retrieval the target is the cosine to the hit, not the logit of a class. Where a network's vector is the
mean of its feature map, no gradient is needed and nothing is approximated. With f_p the map at position p of
P, v = (1/P) Σ f_p, and everything behind it (the scale that the fusion gives a branch, a mean that is taken
off, matrices, biases, the final length) fixed at what it was for this image,

    cosine = Σ_p (scale · f_p - mean) · g / P  +  what has no place

where g is the other image's unit embedding, taken back through the matrices. Between matrices there may be
ReLU: for this image it is a choice of dimensions, and the sum stays exact. The mean is taken off at every
position alike. What has no place are branches without a map, and biases.

Where the vector is made otherwise (a class token, a head, another pooling), the branch's part of the cosine
is spread over the positions by how well each matches the other image: by the cosine of f_p to the mean
position of the other, or 0 where that is below. That is feature matching, and is called so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbir.extractors.extractor import Extractor
    from cbir.extractors.projection import Projection
    from classifiers.explain.seen import Seen

    Vector = NDArray[np.float64]

Method: TypeAlias = Literal["shares", "matching", "none"]
"""``shares``: exact. ``matching``: the branch's part, spread by similarity. ``none``: it has no map."""

_POOLED_BY_MEAN = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What an image is compared with.

    Args:
        embedding: (dim,), unit length.
        pooled: the other image's mean position, one (D,) a branch, or None; for feature matching.
    """

    embedding: NDArray[np.float32]
    pooled: tuple[NDArray[np.float64] | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class BranchShares:
    """What a branch adds to the cosine, and where.

    Args:
        method: how it was found.
        part: of the cosine, over all tiles.
        grids: (n_tiles, H, W), which sum up to the part; None without a place.
    """

    method: Method
    part: float
    grids: NDArray[np.float64] | None


@dataclass(frozen=True, slots=True, eq=False)
class Resemblance:
    """One image's side: ``cosine`` = the parts of all branches + ``offset``.

    Args:
        cosine: of the two embeddings, in the view that is explained.
        branches: in the spec's order.
        offset: what biases add, which are no branch's.
    """

    cosine: float
    branches: tuple[BranchShares, ...]
    offset: float

    @property
    def has_map(self) -> bool:
        """Whether any of it has a place."""
        return any(branch.grids is not None for branch in self.branches)


def resemblance(seen: Seen, target: Target, extractor: Extractor) -> Resemblance:
    """Find where an image resembles the target.

    Args:
        seen: the image; of several tiles, whose mean is its embedding.
        target: the other one.
        extractor: that saw it.
    """
    fused = seen.fused(extractor.spec).astype(np.float64)
    gradients, outputs = _gradients(fused, target.embedding.astype(np.float64), extractor.projection)
    lengths = np.linalg.norm(outputs, axis=1)
    # The embedding is the unit vector of the tiles' mean: each tile's unit vector counts by this.
    weight = 1.0 / np.linalg.norm((outputs / lengths[:, None]).sum(axis=0))
    gradients *= (weight / lengths)[:, None]
    cosine = float((outputs * (weight / lengths)[:, None]).sum(axis=0) @ target.embedding)
    mean = np.zeros(fused.shape[1]) if extractor.projection is None else extractor.projection.mean
    branches = []
    start = 0
    for number, vectors in enumerate(seen.vectors):
        inside = slice(start, start := start + vectors.shape[1])
        branch = _Branch(vectors, fused[:, inside], mean[inside], gradients[:, inside])
        branches.append(branch.shares(seen.maps[number], target.pooled[number]))
    return Resemblance(cosine, tuple(branches), cosine - sum(branch.part for branch in branches))


@dataclass(frozen=True, slots=True, eq=False)
class _Branch:
    """Of one branch: raw vectors, fused ones, the mean that is taken off, gradients; one row a tile."""

    vectors: NDArray[np.float32]
    fused: NDArray[np.float64]
    mean: NDArray[np.float64] | NDArray[np.float32]
    gradients: NDArray[np.float64]

    def shares(self, maps: NDArray[np.float32] | None, pooled: Vector | None) -> BranchShares:
        parts = ((self.fused - self.mean) * self.gradients).sum(axis=1)
        if maps is None:
            return BranchShares("none", float(parts.sum()), None)
        if _is_mean(maps, self.vectors):
            raw = np.linalg.norm(self.vectors, axis=1)
            scales = np.divide(np.linalg.norm(self.fused, axis=1), raw, out=np.zeros(len(raw)), where=raw > 0)
            dots = np.einsum("tdhw,td->thw", maps, self.gradients * scales[:, None], dtype=np.float64)
            offsets = (self.gradients * self.mean).sum(axis=1)
            grids = (dots - offsets[:, None, None]) / (maps.shape[2] * maps.shape[3])
            return BranchShares("shares", float(parts.sum()), grids)
        if pooled is None:
            return BranchShares("none", float(parts.sum()), None)
        matched = _matched(maps, pooled)
        return BranchShares("matching", float(parts.sum()), matched * parts[:, None, None])


def _is_mean(maps: NDArray[np.float32], vectors: NDArray[np.float32]) -> bool:
    """Whether the vectors are the maps' means, and nothing else happened to them."""
    if maps.shape[1] != vectors.shape[1]:
        return False
    apart = np.abs(maps.mean(axis=(2, 3), dtype=np.float64) - vectors).max()
    return bool(apart <= _POOLED_BY_MEAN * np.abs(vectors).max())


def _matched(maps: NDArray[np.float32], pooled: Vector) -> NDArray[np.float64]:
    """(n_tiles, H, W), each tile's sum 1: how well each position matches."""
    lengths = np.linalg.norm(maps, axis=1) * np.linalg.norm(pooled)
    dots = np.einsum("tdhw,d->thw", maps, pooled, dtype=np.float64)
    cosines = np.divide(dots, lengths, out=np.zeros(dots.shape), where=lengths > 0).clip(min=0)
    sums = cosines.sum(axis=(1, 2), keepdims=True)
    evenly = np.full(cosines.shape, 1.0 / (maps.shape[2] * maps.shape[3]))
    matched: NDArray[np.float64] = np.divide(cosines, sums, out=evenly, where=sums > 0)
    return matched


def _gradients(
    fused: NDArray[np.float64], direction: Vector, projection: Projection | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each fused row: how its output's product with a direction changes with it; and that output."""
    if projection is None:
        return np.broadcast_to(direction, fused.shape).copy(), fused
    outputs, open_gates = fused - projection.mean, []
    for number, layer in enumerate(projection.layers):
        if number:
            open_gates.append(outputs > 0)
            outputs = outputs.clip(min=0)
        outputs = outputs @ layer.matrix.astype(np.float64) + layer.bias
    back = np.broadcast_to(direction, outputs.shape)
    for layer, gates in zip(projection.layers[::-1], _backwards(open_gates), strict=True):
        back = back @ layer.matrix.T.astype(np.float64)
        back = back if gates is None else back * gates
    return back, outputs


def _backwards(gates: Sequence[NDArray[np.bool_]]) -> list[NDArray[np.bool_] | None]:
    return [*reversed(gates), None]
