"""Tiles lie over the whole image, overlap as said, and are prepared like images of their own."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbir.errors import SpecError
from cbir.images.image import Image, ImageInfo
from cbir.images.prepare import prepare, prepare_all
from cbir.images.steps import Flip, Grey, Normalise, Raster, Resize
from cbir.images.tiles import TileGrid

STEPS = (Resize(16, 16), Normalise((0.5,) * 3, (0.5,) * 3))


def picture(height: int, width: int) -> Image:
    pixels = np.random.default_rng(0).integers(0, 255, (height, width), dtype=np.uint8)
    return Image(pixels, 255.0, 0, ImageInfo(format="png", width=width, height=height, bits=8))


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 8), st.floats(0, 0.75), st.booleans())
def test_every_pixel_is_in_a_tile_and_neighbours_overlap(height, width, across, overlap, whole):
    boxes = TileGrid(across, overlap, whole=whole).boxes(Raster(np.zeros((height, width), np.uint8), 255.0))
    covered = np.zeros((height, width), dtype=bool)
    for x, y, w, h in boxes:
        assert 0 <= x < x + w <= width
        assert 0 <= y < y + h <= height
        covered[y : y + h, x : x + w] = True
    assert covered.all()
    tiles = boxes[1:] if whole and len(boxes) > 1 else boxes
    side = max(max(w, h) for _, _, w, h in tiles)
    starts = sorted({x for x, *_ in tiles})
    assert all(b - a <= side * (1 - overlap) + 1 for a, b in pairwise(starts))


def test_a_tile_is_prepared_like_an_image_of_its_own():
    image, box = picture(40, 60), (20, 10, 20, 20)
    (prepared,) = prepare_all(image, [STEPS], [(0, 0, 60, 40), box])
    assert prepared.shape == (2, 3, 16, 16)
    cut = Image(image.pixels[10:30, 20:40], 255.0, 0, image.info)
    np.testing.assert_array_equal(prepared[1], prepare(cut, STEPS))
    np.testing.assert_array_equal(prepared[0], prepare(image, STEPS))


def test_plans_that_begin_alike_share_their_first_steps(monkeypatch):
    n_resized = 0
    apply = Resize.apply

    def counting(self, raster):
        nonlocal n_resized
        n_resized += 1
        return apply(self, raster)

    monkeypatch.setattr(Resize, "apply", counting)
    flipped = (STEPS[0], Flip(), STEPS[1])
    plain, mirrored, grey = prepare_all(picture(40, 60), [STEPS, flipped, (STEPS[0], Grey())], ())
    assert n_resized == 1
    np.testing.assert_array_equal(mirrored, plain[..., ::-1])
    assert grey.shape == (1, 1, 16, 16)


def test_tiles_of_background_are_left_out_but_never_all():
    pixels = np.zeros((100, 100), np.uint8)
    pixels[:50, :50] = 200
    grid = TileGrid(2, 0.0, min_content=0.5)
    assert grid.boxes(Raster(pixels, 255.0)) == [(0, 0, 50, 50)]
    assert len(grid.boxes(Raster(np.zeros((100, 100), np.uint8), 255.0))) == 4


def test_the_grid_lies_over_the_breast_alone():
    pixels = np.zeros((200, 100), np.uint8)
    pixels[40:160, :60] = 180
    boxes = TileGrid(2, 0.0, whole=True, crop_breast=True).boxes(Raster(pixels, 255.0))
    x, y, w, h = boxes[0]
    assert (x, y) == (0, 23)  # 40 - 16, and a pixel of blur
    assert w < 90
    assert h < 160
    assert all(y <= top < y + h for _, top, _, _ in boxes)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "across is missing"),
        ({"across": 0}, "across is 0"),
        ({"across": 9}, "1 to 8"),
        ({"across": 2, "overlap": 0.9}, "overlap is 0.9"),
        ({"across": 2, "whole": 1}, "whole is 1"),
        ({"across": 2, "min_content": float("nan")}, "min_content is nan"),
        ({"across": 2, "tile": 1}, "unknown key 'tile'"),
    ],
)
def test_a_grid_that_makes_no_sense_is_refused(settings, named):
    with pytest.raises(SpecError, match=named):
        TileGrid.from_dict(settings)
