"""What every runtime offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

INPUT_NAME = "pixels"
OUTPUT_NAME = "embedding"
FEATURES_NAME = "features"
"""The second output of a network that has a map: (B, D, H, W), what its vector was made of."""


class Network(Protocol):
    """Prepared pixels to raw vectors; safe to call from several threads."""

    @property
    def dim(self) -> int:
        """Of the vectors."""
        ...

    def __call__(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network.

        Args:
            batch: (B, 3, H, W), B >= 1, as the branch's preprocessing leaves it.

        Returns:
            (B, dim) in the batch's order, not normalised, not checked.
        """
        ...
