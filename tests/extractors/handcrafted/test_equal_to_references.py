"""Each descriptor's numbers are those of its reference."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from cbir.extractors.handcrafted import DESCRIPTORS, Hog


def fitted(name, grey):
    """A descriptor that takes the image as it is."""
    return Hog(*grey.shape) if name == "hog" else DESCRIPTORS[name]()


def assert_equal(name, grey, references):
    expected = references[name](grey)
    scale = max(np.abs(expected).max(), 1.0) if name == "glcm" else 1.0  # contrast goes to 961
    np.testing.assert_allclose(fitted(name, grey).describe(grey), expected, rtol=0, atol=5e-6 * scale)


def degenerate_images():
    random = np.random.default_rng(0)
    dot = np.zeros((128, 128), dtype=np.uint8)
    dot[5, 9] = 255
    yield "black", np.zeros((96, 96), np.uint8)
    yield "white", np.full((96, 96), 255, np.uint8)
    for grey in (1, 77, 128):
        yield f"grey {grey}", np.full((60, 80), grey, np.uint8)
    yield "one dot", dot
    yield "chessboard", (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    yield "half and half", np.repeat(np.array([[0, 255]], np.uint8), 32, axis=1).repeat(64, axis=0)
    yield "ties on diagonals", np.tile(np.array([[5, 6], [4, 5]], np.uint8), (40, 40))
    yield "a ramp", np.arange(128 * 100, dtype=np.uint16).reshape(128, 100).astype(np.uint8)
    yield "three greys", random.integers(0, 3, (90, 130), dtype=np.uint8)
    yield "noise, wide", random.integers(0, 256, (33, 257), dtype=np.uint8)
    yield "noise, high", random.integers(0, 256, (130, 47), dtype=np.uint8)
    yield "noise, nothing above 1", random.integers(0, 2, (70, 50), dtype=np.uint8)
    yield "1 x 1", np.full((1, 1), 9, np.uint8)
    yield "1 x 40", random.integers(0, 256, (1, 40), dtype=np.uint8)
    yield "4 x 4", random.integers(0, 256, (4, 4), dtype=np.uint8)
    yield "3 x 70", random.integers(0, 256, (3, 70), dtype=np.uint8)


DEGENERATE = dict(degenerate_images())
LEAST_PX = {"gist": 4, "hog": 32}


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_values_on_real_images_are_the_references(name, real_images, references):
    for image in real_images:
        height, width = DESCRIPTORS[name]().input_px
        assert_equal(name, cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), references)


@pytest.mark.parametrize("name", DESCRIPTORS)
def test_values_on_real_images_that_are_not_square_are_the_references(name, real_images, references):
    for image in real_images:
        assert_equal(name, np.ascontiguousarray(image[20:180, 30:215]), references)


@pytest.mark.parametrize(
    ("name", "case"),
    [
        (name, case)
        for name in DESCRIPTORS
        for case, image in DEGENERATE.items()
        if min(image.shape) >= LEAST_PX.get(name, 1)
    ],
)
def test_values_on_degenerate_images_are_the_references(name, case, references):
    assert_equal(name, DEGENERATE[case], references)


@pytest.mark.parametrize("radius", [1, 2, 3, 4, 5])
def test_lbp_of_other_circles_is_the_references(radius, lbp_reference):
    from cbir.extractors.handcrafted import Lbp

    grey = np.random.default_rng(radius).integers(0, 9, (150, 111), dtype=np.uint8)
    circles = ((8, radius), (12, radius))
    np.testing.assert_allclose(
        Lbp(circles=circles).describe(grey), lbp_reference(grey, circles), rtol=0, atol=1e-6
    )
