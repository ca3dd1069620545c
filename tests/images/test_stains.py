"""Stain normalisation and Caffe's channel order."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from cbir.errors import ImageError, SkipReason, SpecError
from cbir.images.steps import Bgr, Macenko, Normalise, Raster, step_from_dict, step_to_dict

STEP = Macenko()


def histology(seed: int, shape: tuple[int, int] = (60, 80)) -> np.ndarray:
    """Two stains in smooth, random amounts, on glass; (H, W, 3)."""
    drawn = np.random.default_rng(seed)
    stains = drawn.dirichlet((4, 5, 3), 2) + np.eye(2, 3) * 0.2
    amounts = np.stack([cv2.GaussianBlur(drawn.random(shape), (0, 0), 3) for _ in range(2)], axis=2)
    amounts = np.clip((amounts - amounts.mean()) / amounts.std() * 0.4 + 0.5, 0, None)
    light = 240 * np.exp(-amounts @ stains) + drawn.normal(0, 2, (*shape, 3))
    return np.clip(light, 0, 255).astype(np.uint8)


def apply(pixels: np.ndarray, step: Macenko = STEP) -> np.ndarray:
    white = {"u1": 255.0, "u2": 65535.0, "f4": 1.0}[pixels.dtype.str[1:]]
    return step.apply(Raster(pixels, white)).pixels


def test_the_stains_are_those_of_torchstain():
    # The file is of torchstain 1.4.1: NumpyMacenkoNormalizer().normalize(histology(seed, (24, 32)),
    # stains=False) of seeds 0 to 7. Its wheel brings a top-level package `tests`, which would hide this one.
    with np.load(Path(__file__).with_name("macenko.npz")) as made:
        pictures, wanted = made["pictures"], made["normalised"]
    for picture, normalised in zip(pictures, wanted, strict=True):
        found = apply(picture)
        assert found.dtype == np.uint8
        assert np.abs(found.astype(int) - normalised.astype(int)).max() <= 1
        assert np.abs(found.astype(int) - picture).max() > 10


def test_two_slides_of_the_same_tissue_in_other_stains_come_together():
    one = histology(1).astype(float)
    other = np.clip(240 * (one / 240) ** np.array([0.75, 1.1, 0.9]), 0, 255).astype(np.uint8)
    before = np.abs(one - other).mean()
    after = np.abs(apply(one.astype(np.uint8)).astype(float) - apply(other)).mean()
    assert after < before / 2


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((40, 40), 120, np.uint8),
        np.repeat(np.random.default_rng(0).integers(0, 256, (40, 40, 1), dtype=np.uint8), 3, axis=2),
    ],
)
def test_a_grey_image_is_refused_in_one_line(pixels):
    with pytest.raises(ImageError, match="a grey image; stain normalisation") as caught:
        apply(pixels)
    assert caught.value.reason is SkipReason.UNSUPPORTED
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((30, 30, 3), 255, np.uint8),
        np.full((1, 1, 3), 0, np.uint8),
        np.full((30, 30, 3), (250, 248, 249), np.uint8),
        np.full((30, 30, 3), (120, 60, 140), np.uint8),
        np.full((1, 1, 3), (120, 60, 140), np.uint8),
        np.full((30, 30, 3), (0, 0, 1), np.uint8),
        np.random.default_rng(0).integers(241, 256, (30, 30, 3), dtype=np.uint8),
    ],
)
def test_an_image_without_two_stains_stays_as_it_is(pixels):
    assert np.array_equal(apply(pixels), pixels)


@pytest.mark.parametrize("seed", range(30))
def test_whatever_colours_it_gets_it_gives_eight_bit_colour(seed):
    drawn = np.random.default_rng(seed)
    low, high = sorted(drawn.integers(0, 257, 2))
    pixels = drawn.integers(low, max(high, low + 1), (drawn.integers(1, 9), 9, 3)).astype(np.uint8)
    pixels[0, 0] = (3, 2, 1)
    found = apply(pixels)
    assert found.shape == pixels.shape
    assert found.dtype == np.uint8


def test_other_depths_are_taken_for_the_same_colours():
    picture = histology(3)
    eight = apply(picture)
    assert np.array_equal(apply(picture.astype(np.uint16) * 257), eight)
    assert np.array_equal(apply((picture / 255).astype(np.float32)), eight)


def test_the_image_given_is_left_as_it_is():
    picture = histology(4)
    before = picture.copy()
    apply(picture)
    assert np.array_equal(picture, before)


def test_its_settings_are_in_the_spec():
    assert step_to_dict(STEP) == {"step": "macenko", "light": 240.0, "angle": 1.0, "density": 0.15}
    assert step_from_dict({"step": "macenko"}) == STEP
    assert step_from_dict(step_to_dict(Macenko(230.0, 2.0, 0.1))) == Macenko(230.0, 2.0, 0.1)


@pytest.mark.parametrize(("setting", "value"), [("light", 0), ("angle", 51), ("density", -1), ("light", 256)])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(SpecError, match=f"Step macenko: {setting} is"):
        step_from_dict({"step": "macenko", setting: value})


def test_caffe_s_preprocessing_is_two_steps():
    picture = histology(5)
    means = (103.939, 116.779, 123.68)
    normalise = Normalise(tuple(mean / 255 for mean in means), (1 / 255,) * 3)
    found = normalise.apply(Bgr().apply(Raster(picture, 255.0))).pixels
    wanted = picture[..., ::-1].astype(np.float64) - means
    np.testing.assert_allclose(found.transpose(1, 2, 0), wanted, atol=1e-4)
    assert step_from_dict({"step": "bgr"}) == Bgr()


def test_grey_has_no_order():
    grey = Raster(np.arange(12, dtype=np.uint8).reshape(3, 4), 255.0)
    assert Bgr().apply(grey) is grey
