"""Augmentations: what each does, held to torchvision's; only the seed, the epoch and the image decide."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional as reference

from cbir.errors import SpecError
from cbir.images.steps import Normalise
from cbir.training.feeding.augment import AUGMENTATIONS, Augmentation, augment, augmentation_of
from cbir.training.feeding.drawing import affine, drawn_box
from cbir.training.recipe import RECIPES, Named, NetworkRecipe, read_recipe

PLAIN = Normalise((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
IMAGENET = Normalise((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
ALL = Augmentation(0.8, 0.5, 0.3, 15.0, 0.2, 0.2, 0.1, 0.5)


def images(n: int, height: int = 40, width: int = 40) -> Tensor:
    """Smooth colours, so that interpolations by different ways are near each other."""
    small = torch.rand(n, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    large = torch.nn.functional.interpolate(small, (height, width), mode="bicubic").clamp(0, 1)
    return (large * 255).round().to(torch.uint8)


def augmented(batch: Tensor, augmentation: Augmentation, *, size=None, normalise=PLAIN, epoch=0, items=None):
    size = size or tuple(batch.shape[2:])
    items = range(len(batch)) if items is None else items
    return augment(batch, augmentation, size=size, normalise=normalise, seed=5, epoch=epoch, items=items)


def test_nothing_named_changes_nothing():
    batch = images(3)
    torch.testing.assert_close(augmented(batch, Augmentation()), batch / 255, atol=1e-5, rtol=0)


def test_the_whole_image_is_brought_to_size_as_torchvision_does():
    batch = images(3, 64, 48)
    wanted = reference.resize(batch / 255, [56, 42], antialias=False)
    torch.testing.assert_close(augmented(batch, Augmentation(), size=(56, 42)), wanted, atol=1e-5, rtol=0)


def test_flips_mirror():
    batch = images(2)
    mirrored = augmented(batch, Augmentation(flip_horizontal=1.0))
    upside_down = augmented(batch, Augmentation(flip_vertical=1.0))
    torch.testing.assert_close(mirrored, batch.flip(3) / 255, atol=1e-5, rtol=0)
    torch.testing.assert_close(upside_down, batch.flip(2) / 255, atol=1e-5, rtol=0)


@pytest.mark.parametrize("angle", [-30.0, 12.0, 90.0])
def test_turns_are_torchvisions(angle):
    batch = images(1, 40, 60).float()
    theta = torch.from_numpy(affine((0, 0, 1, 1), np.ones(2), angle, (40, 60))).float()[None]
    grid = torch.nn.functional.affine_grid(theta, [1, 3, 40, 60], align_corners=False)
    turned = torch.nn.functional.grid_sample(batch, grid, align_corners=False)
    wanted = reference.rotate(batch, angle, InterpolationMode.BILINEAR)
    inside = (slice(None), slice(None), slice(12, 28), slice(22, 38))
    torch.testing.assert_close(turned[inside], wanted[inside], atol=0.01, rtol=0)


def test_a_crop_is_torchvisions():
    batch = images(1, 40, 60).float()
    theta = torch.from_numpy(affine((0.1, 0.2, 0.5, 0.6), np.ones(2), 0.0, (30, 30))).float()[None]
    grid = torch.nn.functional.affine_grid(theta, [1, 3, 30, 30], align_corners=False)
    cut = torch.nn.functional.grid_sample(batch, grid, align_corners=False)
    wanted = reference.resized_crop(batch, 4, 12, 20, 36, [30, 30], antialias=False)
    inside = (slice(None), slice(None), slice(1, -1), slice(1, -1))  # theirs knows no pixel beyond the crop
    torch.testing.assert_close(cut[inside], wanted[inside], atol=0.01, rtol=0)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("brightness", reference.adjust_brightness),
        ("contrast", reference.adjust_contrast),
        ("saturation", reference.adjust_saturation),
    ],
)
def test_each_colour_change_is_torchvisions_with_some_factor_in_its_range(name, change):
    batch = images(4)
    changed = augmented(batch, Augmentation(**{name: 0.4}))
    factors = torch.linspace(0.6, 1.4, 801)
    for image, before in zip(changed, batch / 255, strict=True):
        differences = [float((change(before, float(f)) - image).abs().max()) for f in factors]
        assert min(differences) < 1e-3
        assert not torch.allclose(image, before, atol=1e-3)


def test_a_rectangle_becomes_the_mean_colour():
    batch = images(64)
    whole, with_holes = (
        augmented(batch, Augmentation(erase=chance), normalise=IMAGENET) for chance in (0.0, 1.0)
    )
    for before, after in zip(whole, with_holes, strict=True):
        changed = (before != after).any(dim=0)
        rows, columns = changed.any(dim=1).nonzero(), changed.any(dim=0).nonzero()
        hole = after[:, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert (hole == 0).all()
        assert 0.015 < hole[0].numel() / changed.numel() < 0.36


@given(st.integers(0, 2**32), st.floats(0.05, 1.0))
def test_a_drawn_box_lies_within_and_has_the_area_and_ratio_asked_for(seed, least):
    random = np.random.default_rng(seed)
    box = drawn_box(random, (40.0, 60.0), areas=(least, 1.0), ratios=(0.5, 2.0))
    if box is not None:
        top, left, height, width = box
        assert 0 <= top <= top + height <= 40 + 1e-9
        assert 0 <= left <= left + width <= 60 + 1e-9
        assert least * 2400 <= height * width + 1e-6
        assert 0.5 - 1e-9 <= width / height <= 2 + 1e-9
    again = np.random.default_rng(seed)
    again.random((10, 4))
    assert random.random() == again.random()  # drew as many numbers, whatever came out


def test_only_the_seed_the_epoch_and_the_image_decide():
    batch = images(6)
    whole = augmented(batch, ALL, normalise=IMAGENET)
    order = [4, 1, 5]
    assert torch.equal(augmented(batch[order], ALL, normalise=IMAGENET, items=order), whole[order])
    assert torch.equal(augmented(batch, ALL, normalise=IMAGENET), whole)
    assert not torch.equal(augmented(batch, ALL, normalise=IMAGENET, epoch=1), whole)
    state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002 - looked at
    augmented(batch, ALL)
    assert torch.equal(torch.get_rng_state(), state)
    assert (np.random.get_state()[1] == numpy_state).all()  # noqa: NPY002


def test_a_setting_that_changes_leaves_the_other_draws():
    batch = images(8)
    flipped = augmented(batch, Augmentation(flip_horizontal=0.5))
    jittered = augmented(batch, Augmentation(flip_horizontal=0.5, brightness=0.2, erase=0.1))
    is_mirrored = [
        bool((image - before.flip(2) / 255).abs().max() < 1e-4)
        for image, before in zip(flipped, batch, strict=True)
    ]
    assert 0 < sum(is_mirrored) < 8
    for image, before, mirrored in zip(jittered, batch, is_mirrored, strict=True):
        upright, across = ((image - each / 255).abs().median() for each in (before, before.flip(2)))
        assert (across < upright) == mirrored


def test_values_are_normalised_and_finite():
    changed = augmented(images(16), ALL, normalise=IMAGENET, size=(32, 32))
    assert changed.shape == (16, 3, 32, 32)
    assert changed.dtype == torch.float32
    low = (0 - torch.tensor(IMAGENET.mean)) / torch.tensor(IMAGENET.std)
    high = (1 - torch.tensor(IMAGENET.mean)) / torch.tensor(IMAGENET.std)
    assert (changed.amin(dim=(0, 2, 3)) >= low - 1e-5).all()
    assert (changed.amax(dim=(0, 2, 3)) <= high + 1e-5).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_gives_what_a_cpu_gives():
    batch = images(4)
    on_gpu = augmented(batch.cuda(), ALL, normalise=IMAGENET)
    assert on_gpu.is_cuda
    torch.testing.assert_close(on_gpu.cpu(), augmented(batch, ALL, normalise=IMAGENET), atol=1e-3, rtol=0)


def test_the_paper_s_recipes_name_what_the_paper_does():
    networks = [recipe for recipe in map(read_recipe, RECIPES) if isinstance(recipe, NetworkRecipe)]
    assert networks
    for recipe in networks:
        assert augmentation_of(recipe.augment) == Augmentation(0.8, 0.5, 0.3, 15.0, 0.2, 0.2, 0.1, 0.1)


def test_settings_left_out_take_their_defaults():
    assert augmentation_of([Named("crop"), Named("erase", {"chance": 1})]) == Augmentation(
        least_area=0.8, erase=1.0
    )
    assert augmentation_of([]) == Augmentation()
    every = augmentation_of([Named(name) for name in AUGMENTATIONS])
    assert (every.flip_horizontal, every.most_deg, every.brightness) == (0.5, 15.0, 0.0)


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ([Named("rotat")], "unknown augmentation 'rotat'; did you mean rotate"),
        (
            [Named("rotate"), Named("crop")],
            "augment is rotate, crop; .* order in which it happens: crop, rotate",
        ),
        ([Named("crop"), Named("crop")], "augment is crop, crop; name each once"),
        ([Named("crop", {"least": 0.5})], "augment.crop: unknown setting 'least'"),
        ([Named("erase", {"chance": 1.5})], "augment.erase.chance is 1.5; it must be from 0 to 1"),
    ],
)
def test_what_makes_no_sense_is_refused(named, message):
    with pytest.raises(SpecError, match=message):
        augmentation_of(named)
