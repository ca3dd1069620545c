"""An image as an extractor sees it: its vectors before they are fused, and the maps behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from cbir.extractors.fusion import fuse, unit_rows
from cbir.extractors.spec.views import ORIGINAL
from cbir.images.placement import placement_plan, read_placements
from cbir.runtime.onnxruntime import OrtNetwork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbir.extractors.extractor import Extractor
    from cbir.extractors.spec import ExtractorSpec
    from cbir.images.pool import DecodedFrame
    from cbir.images.steps import Step

VIEWS = (ORIGINAL,)
"""The view that is explained, whatever the views are that an embedding averages."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the branches make of an image, or of each of its tiles.

    Args:
        vectors: one (n_tiles, dim) a branch, as the network gives them.
        maps: one (n_tiles, D, H, W) a branch; None where a branch has no map.
        placements: one (n_tiles, 2, 3) a branch, from its prepared pixels to those of the image as read.
    """

    vectors: tuple[NDArray[np.float32], ...]
    maps: tuple[NDArray[np.float32] | None, ...]
    placements: tuple[NDArray[np.float64], ...]

    @classmethod
    def of(cls, extractor: Extractor, frame: DecodedFrame) -> Self:
        """Run the networks on a frame that was decoded by ``explained_plans``."""
        n_branches = len(extractor.networks)
        prepared, placed = frame.prepared[:n_branches], frame.prepared[n_branches:]
        runs = [
            network.with_features(pixels)
            if isinstance(network, OrtNetwork) and network.has_features
            else (network(pixels), None)
            for network, pixels in zip(extractor.networks, prepared, strict=True)
        ]
        corners = np.array([box[:2] for box in frame.boxes], dtype=np.float64).reshape(-1, 2)
        placements = [read_placements(numbers) for numbers in placed]
        if len(corners):
            for each in placements:
                each[:, :, 2] += corners
        return cls(tuple(run[0] for run in runs), tuple(run[1] for run in runs), tuple(placements))

    @property
    def n_tiles(self) -> int:
        """How many; 1 of an image that is taken as a whole."""
        return len(self.vectors[0])

    @property
    def has_map(self) -> bool:
        """Whether any branch has one."""
        return any(each is not None for each in self.maps)

    def only(self, tile: int) -> Self:
        """The same of one tile."""
        return type(self)(
            tuple(each[tile : tile + 1] for each in self.vectors),
            tuple(None if each is None else each[tile : tile + 1] for each in self.maps),
            tuple(each[tile : tile + 1] for each in self.placements),
        )

    def fused(self, spec: ExtractorSpec) -> NDArray[np.float32]:
        """(n_tiles, fused dim), unit rows, before a projection."""
        return fuse(self.vectors, spec.fusion)

    def embedded(self, extractor: Extractor) -> NDArray[np.float32]:
        """(n_tiles, dim), unit rows: each tile's embedding."""
        fused = self.fused(extractor.spec)
        return fused if extractor.projection is None else unit_rows(extractor.projection.apply(fused))

    def pooled(self) -> tuple[NDArray[np.float64] | None, ...]:
        """A branch's mean position, (D,), over all tiles; None where it has no map."""
        return tuple(
            None if each is None else each.mean(axis=(0, 2, 3), dtype=np.float64) for each in self.maps
        )


def explained_plans(spec: ExtractorSpec) -> tuple[tuple[Step, ...], ...]:
    """What a pool must be given for ``Seen.of``: the branches, then where they lie."""
    branches: Sequence[tuple[Step, ...]] = spec.plans(VIEWS)
    return (*branches, *(placement_plan(steps) for steps in branches))
