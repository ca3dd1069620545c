"""The five views of test-time augmentation."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from cbir.errors import SpecError
from cbir.extractors.spec import ExtractorSpec, TileSpec
from cbir.extractors.spec.views import FIVE, VIEWS
from cbir.images.image import Image, ImageInfo
from cbir.images.prepare import prepare
from cbir.images.steps import Grey, Jitter, Normalise, Raster, Resize, Rotate
from cbir.images.tiles import TileGrid

STEPS = (Resize(224, 224), Normalise((0.0,) * 3, (1.0,) * 3))


def image(pixels: np.ndarray) -> Image:
    return Image(pixels, 255.0, 0, ImageInfo(format="png", width=1, height=1, bits=8))


def random_image(side: int = 224) -> Image:
    return image(np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8))


def test_the_five_are_those_of_the_notebook():
    assert FIVE == ("original", "flip", "rotate", "zoom", "jitter")
    assert VIEWS["original"](STEPS) == STEPS


def test_flipping_mirrors_and_leaves_a_symmetric_image_as_it_is():
    plain, flipped = (prepare(random_image(), VIEWS[view](STEPS)) for view in ("original", "flip"))
    np.testing.assert_array_equal(flipped, plain[..., ::-1])
    half = np.random.default_rng(1).integers(0, 256, (64, 32), dtype=np.uint8)
    symmetric = image(np.concatenate([half, half[:, ::-1]], axis=1))
    views = [prepare(symmetric, VIEWS[view](STEPS)) for view in ("original", "flip")]
    np.testing.assert_array_equal(*views)


def test_zooming_resizes_to_240_and_keeps_the_middle_224():
    original = random_image(240)
    zoomed = prepare(original, VIEWS["zoom"](STEPS))
    np.testing.assert_allclose(zoomed, original.pixels[8:232, 8:232].transpose(2, 0, 1) / 255, atol=1e-6)


def test_turning_is_counter_clockwise_and_black_comes_from_outside():
    pixels = np.zeros((101, 101), np.float32)
    pixels[50, 90] = 1.0
    turned = Rotate(90.0).apply(Raster(pixels, 1.0)).pixels
    assert turned[10, 50] == pytest.approx(1.0, abs=1e-3)
    assert Rotate(45.0).apply(Raster(np.ones((50, 50), np.float32), 1.0)).pixels[0, 0] == 0


def test_jitter_by_hand():
    """10 and 30 times 1.1 are 11 and 33, whose mean is 22; a tenth further from it: 9.9 and 34.1."""
    found = Jitter(1.1, 1.1).apply(Raster(np.array([[10, 30]], np.uint8), 255.0)).pixels
    assert found.tolist() == [[10, 34]]
    bright = Jitter(1.1, 1.1).apply(Raster(np.array([[250, 255]], np.uint8), 255.0)).pixels
    assert bright.tolist() == [[255, 255]]


@pytest.mark.parametrize("view", FIVE)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("last", [STEPS[1], Grey()])
def test_every_view_keeps_the_shape_and_the_range_in_every_depth(view, dtype, last):
    white = {np.uint8: 255.0, np.uint16: 65535.0, np.float32: 1.0}[dtype]
    pixels = (np.random.default_rng(0).random((30, 50)) * white).astype(dtype)
    whole = Image(pixels, white, 0, ImageInfo(format="png", width=50, height=30, bits=16))
    found = prepare(whole, VIEWS[view]((Resize(21, 14), last)))
    assert found.shape == ((3, 21, 14) if isinstance(last, Normalise) else (1, 21, 14))
    assert found.dtype == np.float32
    assert 0 <= found.min() <= found.max() <= (1 if isinstance(last, Normalise) else 255)


def test_views_and_tiles_are_in_the_fingerprint_and_come_back_from_json(spec):
    tiles = TileSpec(TileGrid(3, whole=True), "parts")
    specs = [
        spec,
        replace(spec, tta=FIVE),
        replace(spec, tta=("original", "flip")),
        replace(spec, tiles=tiles),
    ]
    assert len({each.fingerprint for each in specs}) == len(specs)
    for each in specs:
        back = ExtractorSpec.from_dict(json.loads(json.dumps(each.to_dict())))
        assert back == each
        assert back.fingerprint == each.fingerprint


def test_the_plans_are_view_by_view_branch_by_branch(spec):
    plans = replace(spec, tta=("original", "flip")).plans()
    steps = [branch.preprocess for branch in spec.branches]
    assert plans[:2] == tuple(steps)
    assert plans[2:] == tuple(VIEWS["flip"](each) for each in steps)
    assert spec.plans(FIVE)[:2] == plans[:2]


@pytest.mark.parametrize("tta", [(), ("original", "original"), ("upside_down",)])
def test_views_that_make_no_sense_are_refused(spec, tta):
    with pytest.raises(SpecError, match="tta is"):
        replace(spec, tta=tta)
