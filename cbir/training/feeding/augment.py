"""Images changed at random, so that a network does not learn what does not matter.

What is drawn depends on the seed, the epoch and the image's number alone: neither the order of the images,
nor how many processes share them, nor a resumed run changes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from cbir.errors import SpecError
from cbir.nearest import nearest
from cbir.training.feeding.drawing import drawn_affine, drawn_box
from cbir.training.settings import Number, read_settings

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from cbir.images.steps import Normalise
    from cbir.training.recipe import Named

_TINY = 1e-6
_WHITE = 255.0
_GREY = (0.2989, 0.587, 0.114)
"""Of red, green and blue, as torchvision has it."""
_STREAM = 2
"""No other random numbers of a training begin with this."""

AUGMENTATIONS: Mapping[str, Mapping[str, Number]] = {
    "crop": {"least_area": Number(0.8, _TINY, 1.0)},
    "flip_horizontal": {"chance": Number(0.5, most=1.0)},
    "flip_vertical": {"chance": Number(0.5, most=1.0)},
    "rotate": {"most_deg": Number(15.0, most=180.0)},
    "jitter": {
        "brightness": Number(0.0, most=1.0),
        "contrast": Number(0.0, most=1.0),
        "saturation": Number(0.0, most=1.0),
    },
    "erase": {"chance": Number(0.1, most=1.0)},
}
"""Everything that may happen to an image, in the order in which it does, with its settings.

- ``crop``: a part of the image, from ``least_area`` of it to all; its sides are as 3 to 4 up to 4 to 3.
- ``flip_horizontal``, ``flip_vertical``: mirrored with this chance.
- ``rotate``: about the middle, by up to this, either way.
- ``jitter``: brightness times a factor up to this far from 1; then contrast, away from the mean grey; then
  saturation, each pixel away from its own grey.
- ``erase``: with this chance a rectangle of .02 to .33 of the area becomes the mean colour.
"""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Settings of each of ``AUGMENTATIONS``; the defaults change nothing."""

    least_area: float = 1.0
    flip_horizontal: float = 0.0
    flip_vertical: float = 0.0
    most_deg: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    erase: float = 0.0


def augmentation_of(named: Sequence[Named]) -> Augmentation:
    """Check what a recipe names.

    Raises:
        SpecError: it is unknown, comes twice or in another order, or has a setting that it can't have.
    """
    names = [each.name for each in named]
    for name in names:
        if name not in AUGMENTATIONS:
            raise SpecError(f"augment: unknown augmentation {name!r}; {nearest(name, AUGMENTATIONS)}")
    ordered = [name for name in AUGMENTATIONS if name in names]
    if names != ordered:
        raise SpecError(
            f"augment is {', '.join(names)}; name each once, in the order in which it happens: "
            f"{', '.join(ordered)}."
        )
    values: dict[str, float] = {}
    for each in named:
        found = read_settings(f"augment.{each.name}", each.settings, AUGMENTATIONS[each.name])
        values |= {each.name if key == "chance" else key: cast("float", v) for key, v in found.items()}
    return Augmentation(**values)


def augment(
    images: Tensor,
    augmentation: Augmentation,
    *,
    size: tuple[int, int],
    normalise: Normalise,
    seed: int,
    epoch: int,
    items: Sequence[int] | NDArray[np.int64],
) -> Tensor:
    """Change, bring to size and normalise a batch, on the device that it is on.

    Crop, flips, turn and resize are one bilinear interpolation. So the corners of a turned crop show what the
    image has there; beyond the image it is black.

    Args:
        images: (B, 3, H, W) uint8; up to about a third larger than ``size``, or what is small aliases.
        augmentation: what may happen.
        size: (height, width) of the result.
        normalise: of the network's branch.
        seed: of the training, >= 0.
        epoch: from 0.
        items: (B,), the images' numbers, >= 0: the same in every epoch.

    Returns:
        (B, 3, height, width) float32, normalised.

    Source: torchvision's RandomResizedCrop, flips, RandomRotation, ColorJitter (in a fixed order) and
    RandomErasing. Theirs draw from the global generator, and change a whole batch alike.
    """
    from torch.nn.functional import grid_sample

    drawn = [
        _Drawn.of(augmentation, size, np.random.default_rng([_STREAM, seed, epoch, int(item)]))
        for item in items
    ]
    values = images.float()
    grid = _grid(_like(values, np.stack([each.affine for each in drawn])), size)
    moved = grid_sample(values, grid, align_corners=False)
    _jitter(moved, _like(values, np.array([each.factors for each in drawn])), augmentation)
    mean, std = (_like(values, np.array(each))[:, None, None] for each in (normalise.mean, normalise.std))
    normal: Tensor = moved.sub_(mean).div_(std)
    for image, (top, left, bottom, right) in zip(normal, (each.box for each in drawn), strict=True):
        image[:, top:bottom, left:right] = 0.0
    return normal


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What happens to one image.

    Args:
        affine: (2, 3), from the result's coordinates to the image's, both from -1 to 1.
        factors: of brightness, contrast, saturation.
        box: top, left, bottom, right of what is erased, in pixels of the result.
    """

    affine: NDArray[np.float64]
    factors: tuple[float, float, float]
    box: tuple[int, int, int, int]

    @classmethod
    def of(cls, augmentation: Augmentation, size: tuple[int, int], random: np.random.Generator) -> _Drawn:
        """Draw everything, wanted or not: a setting that changes leaves the others' draws as they are."""
        affine = drawn_affine(
            random,
            size,
            least_area=augmentation.least_area,
            flips=(augmentation.flip_horizontal, augmentation.flip_vertical),
            most_deg=augmentation.most_deg,
        )
        spreads = (augmentation.brightness, augmentation.contrast, augmentation.saturation)
        brightness, contrast, saturation = (1 + each * random.uniform(-1, 1) for each in spreads)
        is_erased = random.random() < augmentation.erase
        box = drawn_box(random, size, areas=(0.02, 0.33), ratios=(0.3, 3.3))
        top, left, height, width = (round(side) for side in box) if is_erased and box else (0, 0, 0, 0)
        return cls(affine, (brightness, contrast, saturation), (top, left, top + height, left + width))


def _grid(affine: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, height, width, 2), as torch's affine_grid gives it, which multiplies matrices for it."""
    import torch

    y, x = ((2 * torch.arange(n, dtype=affine.dtype, device=affine.device) + 1) / n - 1 for n in size)
    grid = affine.new_empty((len(affine), *size, 2))
    for place in (0, 1):
        by_x, by_y, middle = affine[:, place, :, None].unbind(dim=1)
        torch.add((by_x * x)[:, None, :], (by_y * y + middle)[:, :, None], out=grid[..., place])
    return grid


def _jitter(images: Tensor, factors: Tensor, augmentation: Augmentation) -> None:
    """Bring white from 255 to 1; then blend each image with black, with its mean grey, and with its grey.

    In place, and each in one pass: this goes on beside the steps, and takes its time from them.
    """
    brightness, contrast, saturation = factors.view(-1, 3, 1, 1, 1).unbind(dim=1)
    grey = _like(images, np.array(_GREY))[:, None, None]
    images.mul_(brightness / _WHITE)
    if augmentation.brightness:
        images.clamp_(0, 1)
    if augmentation.contrast:
        mean = (images.mean(dim=(2, 3), keepdim=True) * grey).sum(dim=1, keepdim=True)
        images.lerp_(mean, 1 - contrast).clamp_(0, 1)
    if augmentation.saturation:
        own = (images * grey).sum(dim=1, keepdim=True)
        images.lerp_(own, 1 - saturation).clamp_(0, 1)


def _like(images: Tensor, values: NDArray[np.float64]) -> Tensor:
    import torch

    return torch.from_numpy(values).to(images.device, images.dtype)
