"""Where the tiles lie, and what counts as tissue."""

from __future__ import annotations

import numpy as np
import pytest
from slide_files import PIECES, SIZE, glass

from cbir.images.slides.grid import box_of, n_starts, spread, tile_starts, tissue_share
from cbir.images.slides.tissue import tissue_mask


@pytest.mark.parametrize(
    ("length", "side", "overlap"), [(1000, 64.0, 0.0), (1000, 100.5, 0.5), (65, 64.0, 0.75)]
)
def test_tiles_cover_an_axis_from_edge_to_edge(length, side, overlap):
    starts = tile_starts(length, side, overlap)
    assert len(starts) == n_starts(length, side, overlap)
    assert starts[0] == 0
    assert starts[-1] == round(length - side)
    assert np.diff(starts).max() <= side * (1 - overlap) + 1


@pytest.mark.parametrize("length", [1, 63, 64])
def test_a_slide_smaller_than_a_tile_has_one(length):
    assert tile_starts(length, 64.0, 0.5).tolist() == [0]
    assert box_of(0, 0, 64.0, (length, 500)) == (0, 0, length, 64)


def test_of_too_many_an_even_spread_is_taken_the_same_each_time():
    assert spread(5, 9).tolist() == [0, 1, 2, 3, 4]
    assert spread(10, 5).tolist() == [1, 3, 5, 7, 9]
    assert spread(10, 1).tolist() == [5]
    assert len(set(spread(1_000_003, 4096).tolist())) == 4096


def test_the_share_of_tissue_is_counted_on_what_lies_on_the_slide():
    mask = np.zeros((10, 20), dtype=bool)
    mask[5:, 10:] = True
    xs, ys = np.array([0, 80, 100, 160]), np.array([0, 50, 80])
    share = tissue_share(mask, (200, 100), xs, ys, 40.0)
    np.testing.assert_allclose(share, [[0, 0, 0, 0], [0, 0.5, 1, 1], [0, 0.5, 1, 1]])


def test_tissue_is_where_the_colour_is():
    small = glass()[::4, ::4]
    mask = tissue_mask(small, speck_px=20)
    truth = np.zeros(mask.shape, dtype=bool)
    for x, y, width, height in PIECES:
        truth[y // 4 : (y + height) // 4, x // 4 : (x + width) // 4] = True
    assert (mask == truth).mean() > 0.995
    assert mask.shape == (SIZE[1] // 4, SIZE[0] // 4)


def test_specks_holes_and_black_marks_do_not_count():
    picture = np.full((300, 300, 3), 255, np.uint8)
    picture[100:250, 100:250] = (200, 90, 150)
    picture[150:158, 150:158] = 255
    picture[20:28, 20:28] = (200, 90, 150)
    picture[10:90, 200:290] = (12, 2, 9)
    mask = tissue_mask(picture, speck_px=150)
    assert mask[154, 154]
    assert not mask[:95].any()


def test_blank_and_noisy_glass_has_no_tissue():
    assert not tissue_mask(np.full((200, 200, 3), 243, np.uint8), speck_px=1).any()
    noise = np.random.default_rng(1).integers(236, 246, (200, 200, 3)).astype(np.uint8)
    assert not tissue_mask(noise, speck_px=1).any()
