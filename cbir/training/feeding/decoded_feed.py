"""Decoded images as the loop is fed with them: in batches, augmented, normalised."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from cbir.training.feeding.augment import augment, augmentation_of
from cbir.training.feeding.sampling import balanced_batches, shuffled_batches
from cbir.types import Item

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from cbir.extractors.spec import BranchSpec
    from cbir.images.steps import Normalise
    from cbir.training.feeding.decoded.decode import Decoded
    from cbir.training.loop.parts import LoopRecipe


class DecodedFeed:
    """The training and the validation part of decoded images, as a ``Feed``.

    The test part is not in it: ``rows`` says which image of ``decoded`` each item is.

    Args:
        decoded: with the two plans of ``network_plans``, before any others.
        branch: that they are of.
        recipe: says the batches, the augmentation and the seed.

    Raises:
        SpecError: the recipe's augmentation makes no sense.
    """

    def __init__(self, decoded: Decoded, branch: BranchSpec, recipe: LoopRecipe) -> None:
        material = decoded.material
        self.rows = np.flatnonzero(np.asarray(material.parts) != "test")
        material = material.take(self.rows)
        self.codes = material.codes
        self.n_classes = len(material.classes)
        self.train: NDArray[np.int64] = material.rows("train")
        self.validation: NDArray[np.int64] = material.rows("val")
        self.sha256 = material.data_hash([decoded.contents[row] for row in self.rows])
        self.items = tuple(
            Item(f"{place:08}", image.path, label=image.label, group=group)
            for place, (image, group) in enumerate(zip(material.images, material.groups, strict=True))
        )
        self._to_augment, self._exact = decoded.pixels[:2]
        self._augmentation = augmentation_of(recipe.augment)
        self._size = branch.input_shape[1:]
        self._normalise = cast("Normalise", branch.preprocess[-1])
        self._batches, self._seed = recipe.batches, recipe.seed

    def batches(self, epoch: int) -> list[NDArray[np.int64]]:
        """The training part's batches in one epoch, from 0; the same whenever asked."""
        if self._batches.n_classes is None or self._batches.per_class is None:
            places = shuffled_batches(len(self.train), batch=self._batches.size, seed=self._seed, epoch=epoch)
        else:
            places = balanced_batches(
                self.codes[self.train],
                [str(self.items[row].group) for row in self.train],
                classes=self._batches.n_classes,
                per_class=self._batches.per_class,
                seed=self._seed,
                epoch=epoch,
            )
        return [self.train[batch] for batch in places]

    def images(self, indices: NDArray[np.int64], epoch: int) -> Tensor:
        """(B, 3, H, W), normalised, augmented as this epoch has it; the same in whatever batch.

        An image that comes more than once in an epoch is augmented otherwise each time.

        Raises:
            TrainingError: a decoded image is gone.
        """
        import torch

        rows = self.rows[indices % len(self.rows)]
        return augment(
            torch.from_numpy(self._to_augment[rows]),
            self._augmentation,
            size=self._size,
            normalise=self._normalise,
            seed=self._seed,
            epoch=epoch,
            items=indices,
        )

    def validation_images(self, indices: NDArray[np.int64]) -> Tensor:
        """(B, 3, H, W), by exactly the extractor's own preprocessing.

        Raises:
            TrainingError: a decoded image is gone.
        """
        import torch

        return torch.from_numpy(self._exact[self.rows[indices]])
