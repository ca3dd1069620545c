"""What every descriptor keeps to."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from cbir.errors import SpecError, VectorError
from cbir.extractors.handcrafted import DESCRIPTORS, Gist, Glcm, Hog, Lbp, Zernike

DIMS = {"gist": 320, "hog": 1764, "lbp": 54, "glcm": 18, "zernike": 25}


@pytest.fixture(params=DESCRIPTORS)
def descriptor(request):
    return DESCRIPTORS[request.param]()


def noise(descriptor, seed=0):
    return np.random.default_rng(seed).integers(0, 256, descriptor.input_px, dtype=np.uint8)


def test_every_descriptor_has_the_dimension_of_methods():
    assert {name: kind().dim for name, kind in DESCRIPTORS.items()} == DIMS


def test_it_gives_as_many_finite_numbers_as_it_says(descriptor):
    height, width = descriptor.input_px
    contrast = np.zeros((height, width), np.uint8)
    contrast[:, ::2] = 255
    for image in (noise(descriptor), contrast, *(np.full((height, width), g, np.uint8) for g in (0, 1, 255))):
        vector = descriptor.describe(image)
        assert vector.shape == (descriptor.dim,)
        assert vector.dtype == np.float32
        assert np.isfinite(vector).all()


def test_images_that_differ_are_described_differently_and_the_same_one_the_same(descriptor):
    one, other = noise(descriptor), noise(descriptor, seed=1)
    np.testing.assert_array_equal(descriptor.describe(one), descriptor.describe(one.copy()))
    assert not np.array_equal(descriptor.describe(one), descriptor.describe(other))


def test_the_image_is_left_as_it_is_and_may_be_read_only_or_a_view(descriptor):
    image = noise(descriptor)
    expected = descriptor.describe(image)
    wide = np.zeros((image.shape[0], 2 * image.shape[1]), np.uint8)
    wide[:, ::2] = image
    before = wide.copy()
    wide.setflags(write=False)
    np.testing.assert_array_equal(descriptor.describe(wide[:, ::2]), expected)
    np.testing.assert_array_equal(wide, before)


def test_threads_do_not_disturb_each_other(descriptor):
    images = [noise(descriptor, seed) for seed in range(4)] * 2
    expected = [descriptor.describe(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        for vector, alone in zip(pool.map(descriptor.describe, images), expected, strict=True):
            np.testing.assert_array_equal(vector, alone)


def test_a_vector_belongs_to_the_caller(descriptor):
    image = noise(descriptor)
    vector = descriptor.describe(image)
    expected = vector.copy()
    vector[:] = -1
    np.testing.assert_array_equal(descriptor.describe(image), expected)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((0, 0), np.uint8),
        np.zeros((0, 9), np.uint8),
        np.zeros((64, 64, 3), np.uint8),
        np.zeros((64, 64)),
    ],
)
def test_what_is_no_grey_image_is_refused(descriptor, image):
    with pytest.raises(VectorError, match=f"Descriptor {descriptor.name}"):
        descriptor.describe(image)


def test_settings_are_plain_and_make_the_same_descriptor_again(descriptor):
    settings = dataclasses.asdict(descriptor)
    assert type(descriptor)(**settings) == descriptor
    assert hash(descriptor) == hash(type(descriptor)(**settings))


@pytest.mark.parametrize(
    ("descriptor", "shape", "least"), [(Gist(), (3, 90), "4 × 4"), (Hog(), (31, 128), "32 × 32")]
)
def test_an_image_smaller_than_the_window_is_refused_with_both_sizes(descriptor, shape, least):
    with pytest.raises(VectorError, match=f"{shape[0]} × {shape[1]} px.*at least {least}; resize"):
        descriptor.describe(np.zeros(shape, np.uint8))


def test_hog_refuses_an_image_whose_vector_would_have_another_length():
    with pytest.raises(VectorError, match="96 × 160 px, it takes 128 × 128"):
        Hog().describe(np.zeros((96, 160), np.uint8))
    assert Hog(96, 160).describe(np.zeros((96, 160), np.uint8)).shape == (Hog(96, 160).dim,)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Gist(blocks=0),
        lambda: Gist(orientations=()),
        lambda: Gist(orientations=(8, 0)),
        lambda: Gist(side_px=3),
        lambda: Hog(cell_px=15),
        lambda: Hog(height_px=16),
        lambda: Hog(orientations=0),
        lambda: Lbp(circles=()),
        lambda: Lbp(circles=((8, 6),)),
        lambda: Lbp(circles=((1, 1),)),
        lambda: Glcm(levels=257),
        lambda: Glcm(distances_px=()),
        lambda: Glcm(distances_px=(0,)),
        lambda: Zernike(degree=13),
        lambda: Zernike(radius=0.0),
        lambda: Zernike(side_px=0),
    ],
)
def test_settings_that_make_no_sense_are_refused(make):
    with pytest.raises(SpecError, match="Descriptor"):
        make()
