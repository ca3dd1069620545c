"""The embedder: a spec and the networks that carry it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import SpecError, VectorError
from cbir.extractors.fusion import fuse, unit_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbir.extractors.projection import Projection
    from cbir.extractors.spec import ExtractorSpec
    from cbir.runtime.network import Network


class Extractor:
    """Prepared pixels to unit vectors; implements :class:`cbir.types.Embedder`.

    Args:
        spec: what decides the numbers.
        networks: one a branch, in any runtime.
        projection: the spec's, when it has one.
        tta: the views that ``embed`` is given; None for the spec's. Queries may be seen in other views than
            the gallery was.

    Raises:
        SpecError: not one network a branch, a network's dim is not its branch's, or not the spec's
            projection.
    """

    def __init__(
        self,
        spec: ExtractorSpec,
        networks: Sequence[Network],
        *,
        projection: Projection | None = None,
        tta: Sequence[str] | None = None,
    ) -> None:
        found, wanted = [network.dim for network in networks], [branch.dim for branch in spec.branches]
        if found != wanted:
            raise SpecError(
                f"Extractor {spec.name!r}: its networks have dims {found}, its spec says {wanted}."
            )
        if (projection.sha256 if projection else None) != (
            spec.projection.sha256 if spec.projection else None
        ):
            raise SpecError(f"Extractor {spec.name!r}: its projection is not the one that its spec names.")
        self.spec = spec
        self.networks = tuple(networks)
        self.projection = projection
        self._n_views = len(spec.tta if tta is None else tta)

    @property
    def fingerprint(self) -> str:
        """Of the spec."""
        return self.spec.fingerprint

    @property
    def dim(self) -> int:
        """Of the embedding."""
        return self.spec.dim

    def embed(self, prepared: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Embed a batch.

        Args:
            prepared: one array a plan of the spec: of each view, each branch; (B, channels, H, W), B >= 1, as
                the plan's steps leave it.

        Returns:
            (B, dim), unit rows: the branches fused in each view, the views' mean, the projection.

        Raises:
            VectorError: prepared does not fit the plans, or the network answered with a row that is not
                finite, or zero.
        """
        self._check(prepared)
        n = len(self.networks)
        views = [self._fused(prepared[first : first + n]) for first in range(0, len(prepared), n)]
        mean = views[0] if len(views) == 1 else unit_rows(np.mean(views, axis=0, dtype=np.float32))
        return mean if self.projection is None else unit_rows(self.projection.apply(mean))

    def _fused(self, prepared: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        raw = [
            network(np.ascontiguousarray(batch, dtype=np.float32))
            for network, batch in zip(self.networks, prepared, strict=True)
        ]
        return fuse(raw, self.spec.fusion)

    def _check(self, prepared: Sequence[NDArray[np.float32]]) -> None:
        found = [batch.shape for batch in prepared]
        n_images = found[0][0] if found and found[0] else 0
        wanted = [(n_images, *branch.input_shape) for branch in self.spec.branches] * self._n_views
        if n_images < 1 or found != wanted:
            shapes = [(max(n_images, 1), *shape[1:]) for shape in wanted]
            raise VectorError(
                f"Extractor {self.spec.name!r} got pixels of shapes {found}; it takes {shapes}."
            )
