"""Decoded images as a classifier's training is fed with them: oversampled, with their descriptors beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.training.feeding.decoded_feed import DecodedFeed
from cbir.training.feeding.sampling import shuffled_batches
from classifiers.training.sampling import oversampled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from cbir.extractors.spec import BranchSpec
    from cbir.training.feeding.decoded import Decoded
    from cbir.training.feeding.feed import Inputs
    from cbir.types import Item
    from classifiers.recipe import ClassifierRecipe


class ClassifierFeed:
    """The training and the validation part, as a ``Feed``.

    Args:
        decoded: with the two plans of the network first.
        branch: of the pixels.
        recipe: says the batches, the augmentation, whether classes are made equal, and the seed.
        described: (n_images, n_described), of all images of ``decoded``, not augmented; None without.
    """

    def __init__(
        self,
        decoded: Decoded,
        branch: BranchSpec,
        recipe: ClassifierRecipe,
        described: NDArray[np.float32] | None = None,
    ) -> None:
        self._feed = DecodedFeed(decoded, branch, recipe)
        self._recipe = recipe
        self._described = None if described is None else described[self._feed.rows]

    @property
    def items(self) -> Sequence[Item]:
        """All images that are trained on or validated with."""
        return self._feed.items

    @property
    def codes(self) -> NDArray[np.int64]:
        """(n_items,), each label's place among the classes."""
        return self._feed.codes

    @property
    def n_classes(self) -> int:
        """How many there are."""
        return self._feed.n_classes

    @property
    def train(self) -> NDArray[np.int64]:
        """Indices of what is trained on, each once."""
        return self._feed.train

    @property
    def validation(self) -> NDArray[np.int64]:
        """Indices of what it is validated with, each once."""
        return self._feed.validation

    @property
    def sha256(self) -> str:
        """Of the images, their labels, groups and parts."""
        return self._feed.sha256

    def batches(self, epoch: int) -> list[NDArray[np.int64]]:
        """The training part's batches in one epoch, from 0; the same whenever asked."""
        if not self._recipe.oversample:
            return self._feed.batches(epoch)
        seed = self._recipe.seed
        drawn = oversampled(self.codes[self.train], seed=seed, epoch=epoch)
        indices = self.train[drawn.places] + drawn.turns * len(self.items)
        size = self._recipe.batches.size
        return [
            indices[batch] for batch in shuffled_batches(len(indices), batch=size, seed=seed, epoch=epoch)
        ]

    def images(self, indices: NDArray[np.int64], epoch: int) -> Inputs:
        """(B, 3, H, W), augmented, and (B, n_described) where there are descriptors.

        Raises:
            TrainingError: a decoded image is gone.
        """
        return self._with_described(self._feed.images(indices, epoch), indices % len(self.items))

    def validation_images(self, indices: NDArray[np.int64]) -> Inputs:
        """(B, 3, H, W), not augmented, and (B, n_described) where there are descriptors.

        Raises:
            TrainingError: a decoded image is gone.
        """
        return self._with_described(self._feed.validation_images(indices), indices)

    def training_described(self) -> NDArray[np.float32] | None:
        """(n_train, n_described), what z-scores are fitted to; None without descriptors."""
        return None if self._described is None else self._described[self.train]

    def _with_described(self, pixels: Tensor, indices: NDArray[np.int64]) -> Inputs:
        if self._described is None:
            return pixels
        import torch

        return pixels, torch.from_numpy(self._described[indices])
