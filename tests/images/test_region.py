"""A region of an image is an image."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbir.errors import ImageError, SkipReason
from cbir.images.image import Image, ImageInfo
from cbir.images.pool import DecodePool
from cbir.images.region import cut_region, parse_region, region_text
from cbir.images.settings import ReadSpec
from cbir.images.steps import CropBreast, Normalise, Resize
from cbir.images.tiles import TileGrid

PLAN = (CropBreast(2), Resize(16, 12), Normalise((0.5,) * 3, (0.5,) * 3))
PIXELS = cv2.resize(
    np.random.default_rng(0).integers(0, 256, (9, 12), dtype=np.uint8),
    (120, 90),
    interpolation=cv2.INTER_CUBIC,
)
HEIGHT, WIDTH = PIXELS.shape


def png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


@given(st.tuples(*[st.integers(-(10**8), 10**8)] * 2, *[st.integers(1, 10**8)] * 2))
def test_a_region_is_read_as_it_is_written(region):
    assert parse_region(region_text(region)) == region


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1.5,0,3,3", "1;2;3;4", "٣,0,1,1"])
def test_what_is_not_four_whole_numbers_is_said_so(text):
    with pytest.raises(ValueError, match="is not four whole numbers x,y,w,h"):
        parse_region(text)


@pytest.mark.parametrize("text", ["0,0,0,5", "3,3,4,-1"])
def test_a_region_without_area_is_said_so(text):
    with pytest.raises(ValueError, match="is empty"):
        parse_region(text)


@given(
    x=st.integers(-5, WIDTH + 5),
    y=st.integers(-5, HEIGHT + 5),
    w=st.integers(1, WIDTH + 5),
    h=st.integers(1, HEIGHT + 5),
)
def test_a_region_lies_within_its_image_or_is_refused_naming_both(x, y, w, h):
    image = Image(PIXELS, 255.0, 0, ImageInfo("png", WIDTH, HEIGHT, 8))
    if x < 0 or y < 0 or x + w > WIDTH or y + h > HEIGHT:
        with pytest.raises(ImageError) as caught:
            cut_region(image, (x, y, w, h))
        assert caught.value.reason is SkipReason.OUTSIDE
        assert f"{x},{y},{w},{h}" in caught.value.detail
        assert f"{WIDTH} x {HEIGHT}" in caught.value.detail
    else:
        assert cut_region(image, (x, y, w, h)).pixels.shape == (h, w)
        np.testing.assert_array_equal(cut_region(image, (x, y, 1, h)).pixels[:, 0], PIXELS[y : y + h, x])


@pytest.mark.parametrize("tiles", [None, TileGrid(2, whole=True, crop_breast=True)])
def test_a_region_is_what_a_file_of_that_region_alone_would_be(tiles):
    x, y, w, h = 17, 5, 64, 70
    with DecodePool(ReadSpec(), [PLAN], tiles=tiles, n_workers=1) as pool:
        (region,) = pool.decode(png(PIXELS), region=(x, y, w, h))
        (alone,) = pool.decode(png(PIXELS[y : y + h, x : x + w]))
        with pytest.raises(ImageError, match="outside: the region 60,0,61,5"):
            pool.decode(png(PIXELS), region=(60, 0, 61, 5))
        (whole,) = pool.decode(png(PIXELS))  # the worker lives on
    np.testing.assert_array_equal(region.prepared[0], alone.prepared[0])
    assert (region.boxes, region.thumbnail, region.pixels_sha256) == (
        alone.boxes,
        alone.thumbnail,
        alone.pixels_sha256,
    )
    assert region.notes == ("region 17,5,64,70 of 120 x 90 pixels",)
    assert whole.notes == ()
