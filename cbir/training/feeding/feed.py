"""What the loop is fed with: a protocol, so that it knows neither files nor caches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from cbir.types import Item

Inputs: TypeAlias = "Tensor | tuple[Tensor, ...]"
"""What a network takes: images, or images and what else there is of them, a row each."""


class Feed(Protocol):
    """Labelled images in two parts. An index is a place in ``items``, in either part.

    In batches ``index + n * n_items`` is the same image, the n-th time more in an epoch.
    """

    @property
    def items(self) -> Sequence[Item]:
        """All images that are trained on or validated with, with labels and groups."""
        ...

    @property
    def codes(self) -> NDArray[np.int64]:
        """(n_items,), each label's place among the classes; in their order where they have one."""
        ...

    @property
    def n_classes(self) -> int:
        """How many classes the training part has."""
        ...

    @property
    def train(self) -> NDArray[np.int64]:
        """Indices of what is trained on."""
        ...

    @property
    def validation(self) -> NDArray[np.int64]:
        """Indices of what it is validated with; of no group of the training part."""
        ...

    @property
    def sha256(self) -> str:
        """Of the images, their labels, groups and parts."""
        ...

    def batches(self, epoch: int) -> Sequence[NDArray[np.int64]]:
        """The training part's batches in one epoch, from 0; the same whenever asked."""
        ...

    def images(self, indices: NDArray[np.int64], epoch: int) -> Inputs:
        """(B, 3, H, W), normalised, augmented as this epoch has it; the same in whatever batch.

        Called from a thread of its own, ahead of the step that needs them.
        """
        ...

    def validation_images(self, indices: NDArray[np.int64]) -> Inputs:
        """(B, 3, H, W), by exactly the extractor's own preprocessing."""
        ...
