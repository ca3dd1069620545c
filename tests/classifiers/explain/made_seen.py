"""Extractors of made networks: what they see is given, so that every number is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cbir.extractors.extractor import Extractor
from cbir.extractors.projection import Layer, Projection
from cbir.extractors.spec import BranchSpec, ExtractorSpec, FusionSpec, ProjectionSpec, WeightsRef
from cbir.extractors.spec.tiles import TileSpec
from cbir.images.settings import ReadSpec
from cbir.images.steps import Normalise, Resize
from cbir.images.tiles import TileGrid
from classifiers.explain.seen import Seen

STEPS = (Resize(64, 64), Normalise((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)))


@dataclass(frozen=True)
class MadeNetwork:
    dim: int

    def __call__(self, batch):
        raise AssertionError(f"what it sees is given, and {batch.shape} came")


def made_extractor(dims, *, method="l2", weights=None, layers=(), keep=None) -> Extractor:
    """An extractor of these dims; ``layers`` are the widths of its projection, drawn with biases."""
    branches = tuple(
        BranchSpec("timm:test_resnet", WeightsRef("made", "ab" * 32), STEPS, "avg", dim) for dim in dims
    )
    projection = made_projection(sum(dims), layers) if layers else None
    spec = ExtractorSpec(
        "made",
        ReadSpec(),
        branches,
        FusionSpec(method, weights or (1.0,) * len(dims)),
        tiles=TileSpec(TileGrid(2), keep) if keep else None,
        projection=ProjectionSpec("made", projection.sha256, projection.dim) if projection else None,
    )
    return Extractor(spec, [MadeNetwork(dim) for dim in dims], projection=projection)


def made_projection(n_in, widths) -> Projection:
    rng = np.random.default_rng(7)
    layers = []
    for width in widths:
        layers.append(Layer.of(rng.standard_normal((n_in, width)), rng.standard_normal(width) / 4))
        n_in = width
    return Projection.through(rng.standard_normal(layers[0].matrix.shape[0]) / 10, layers)


def made_seen(
    dims, seed, *, n_tiles=1, grids=((7, 7), (5, 6), (4, 4)), pooled_otherwise=(), without=()
) -> Seen:
    """Maps of ReLU networks, their means as vectors; some branches pooled otherwise, or without a map."""
    rng = np.random.default_rng(seed)
    maps, vectors = [], []
    for number, (dim, grid) in enumerate(zip(dims, grids, strict=False)):
        features = rng.standard_normal((n_tiles, dim, *grid)).astype(np.float32).clip(min=0)
        pooled = features.max(axis=(2, 3)) if number in pooled_otherwise else features.mean(axis=(2, 3))
        vectors.append(pooled)
        maps.append(None if number in without else features)
    placements = tuple(np.broadcast_to(np.eye(2, 3), (n_tiles, 2, 3)) for _ in dims)
    return Seen(tuple(vectors), tuple(maps), placements)
