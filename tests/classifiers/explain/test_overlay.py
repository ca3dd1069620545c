"""A share is drawn where its position lies in the image."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from classifiers.explain.overlay import Placed, heat_map, overlay, png, read_picture, small_jpeg

WHOLE = np.eye(2, 3)


def one_hot(row: int, column: int, shape=(8, 8)) -> np.ndarray:
    grid = np.zeros(shape)
    grid[row, column] = 1.0
    return grid


def middle(heat: np.ndarray) -> tuple[float, float]:
    heat = heat.clip(min=0)
    rows, columns = np.mgrid[: heat.shape[0], : heat.shape[1]] + 0.5
    return float((heat * columns).sum() / heat.sum()), float((heat * rows).sum() / heat.sum())


def test_a_position_lies_in_the_middle_of_its_cell():
    heat = heat_map([Placed(one_hot(2, 5), WHOLE, 64, 64)], (64, 64), (256, 256))
    assert middle(heat) == pytest.approx((5.5 * 32, 2.5 * 32), abs=1.0)
    assert heat.sum() == pytest.approx(1.0, abs=0.02)


def test_a_crop_and_a_stretch_are_undone():
    crop = np.array([[2.0, 0.0, 100.0], [0.0, 3.0, 40.0]])  # 64 x 64 of 128 x 192 at (100, 40)
    heat = heat_map([Placed(one_hot(4, 4), crop, 64, 64)], (400, 300), (400, 300))
    assert middle(heat) == pytest.approx((100 + 2 * 36, 40 + 3 * 36), abs=1.0)
    heat = heat_map([Placed(np.ones((8, 8)), crop, 64, 64)], (400, 300), (400, 300))
    assert heat[40:232, 100:228].min() > 0
    heat[40:232, 100:228] = 0
    assert not heat.any()


def test_what_lies_on_a_padded_border_is_left_out():
    pad = np.array([[4.0, 0.0, -64.0], [0.0, 4.0, 0.0]])  # 128 wide and 256 high, in the middle of 64 x 64
    heat = heat_map([Placed(np.ones((8, 8)), pad, 64, 64)], (128, 256), (128, 256))
    assert heat.sum() == pytest.approx(32.0, rel=0.01)


def test_a_picture_is_coloured_where_the_map_is_high_and_plain_where_it_is_low():
    grey = np.full((64, 64), 100, np.uint8)
    _, jpeg = cv2.imencode(".jpg", grey)
    heat = heat_map([Placed(one_hot(1, 1), WHOLE, 64, 64)], (64, 64), (64, 64))
    drawn = overlay(jpeg.tobytes(), heat)
    assert drawn.shape == (64, 64, 3)
    assert drawn[60, 60].tolist() == [100, 100, 100]
    red, _, blue = drawn[12, 12].astype(int)
    assert red > 180 > blue
    assert (overlay(jpeg.tobytes(), np.zeros((64, 64))) == 100).all()


def test_negative_shares_stay_plain():
    _, jpeg = cv2.imencode(".jpg", np.full((64, 64), 100, np.uint8))
    heat = heat_map([Placed(one_hot(1, 1) - one_hot(6, 6), WHOLE, 64, 64)], (64, 64), (64, 64))
    assert overlay(jpeg.tobytes(), heat)[52, 52].tolist() == [100, 100, 100]


def test_pictures_come_back_as_they_were_written():
    pixels = np.random.default_rng(0).integers(0, 255, (40, 1000, 3), dtype=np.uint8)
    np.testing.assert_array_equal(read_picture(png(pixels)), pixels)
    assert read_picture(small_jpeg(pixels)).shape == (15, 384, 3)
