"""The embedder: a spec and the networks that carry it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import SpecError, VectorError
from cbir.extractors.fusion import fuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cbir.extractors.spec import ExtractorSpec
    from cbir.runtime.network import Network


class Extractor:
    """Prepared pixels to unit vectors; implements :class:`cbir.types.Embedder`.

    Args:
        spec: what decides the numbers.
        networks: one a branch, in any runtime.

    Raises:
        SpecError: not one network a branch, or a network's dim is not its branch's.
    """

    def __init__(self, spec: ExtractorSpec, networks: Sequence[Network]) -> None:
        found, wanted = [network.dim for network in networks], [branch.dim for branch in spec.branches]
        if found != wanted:
            raise SpecError(
                f"Extractor {spec.name!r}: its networks have dims {found}, its spec says {wanted}."
            )
        self.spec = spec
        self.networks = tuple(networks)

    @property
    def fingerprint(self) -> str:
        """Of the spec."""
        return self.spec.fingerprint

    @property
    def dim(self) -> int:
        """Of the fused embedding."""
        return self.spec.dim

    def embed(self, prepared: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Embed a batch.

        Args:
            prepared: one array a branch, (B, 3, H, W), B >= 1, as the branch's preprocessing leaves it.

        Returns:
            (B, dim), unit rows.

        Raises:
            VectorError: prepared does not fit the branches, or the network answered with a row that is not
                finite, or zero.
        """
        self._check(prepared)
        raw = [
            network(np.ascontiguousarray(batch, dtype=np.float32))
            for network, batch in zip(self.networks, prepared, strict=True)
        ]
        return fuse(raw, self.spec.fusion.weights)

    def _check(self, prepared: Sequence[NDArray[np.float32]]) -> None:
        found = [batch.shape for batch in prepared]
        n_images = found[0][0] if found and found[0] else 0
        wanted = [(n_images, 3, *branch.input_px) for branch in self.spec.branches]
        if n_images < 1 or found != wanted:
            shapes = [(max(n_images, 1), *shape[1:]) for shape in wanted]
            raise VectorError(
                f"Extractor {self.spec.name!r} got pixels of shapes {found}; it takes {shapes}."
            )
