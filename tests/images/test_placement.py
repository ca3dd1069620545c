"""Where a prepared pixel lies in the image: shown by images whose pixels say where they are."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cbir.images.placement import placement_plan, read_placements
from cbir.images.steps import (
    CentreCrop,
    Clahe,
    CropBreast,
    Flip,
    Normalise,
    Raster,
    Resize,
    Rotate,
    step_from_dict,
    step_to_dict,
)

PLAIN = Normalise((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
HEIGHT, WIDTH = 200, 320
CHAINS = {
    "stretch": (Resize(64, 96),),
    "pad": (Resize(64, 64, "pad"),),
    "cover": (Resize(64, 64, "cover"),),
    "crop": (CropBreast(margin_px=4), Resize(96, 96)),
    "centre": (Resize(120, 160), CentreCrop(96, 128)),
    "flip": (Resize(100, 160), Flip()),
    "rotate": (Resize(128, 128), Rotate(degrees=20.0)),
    "all": (
        CropBreast(margin_px=2),
        Resize(128, 128, "pad"),
        Rotate(degrees=-7.0),
        Flip(),
        CentreCrop(112, 104),
    ),
}


def positions() -> np.ndarray:
    """Red is the column, green the row, blue 1 where there is an object: in 0..1."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    pixels[40:170, 60:300] = 0.2
    pixels[..., 0] += (np.arange(WIDTH) + 0.5) / WIDTH / 1e3
    pixels[..., 1] += (np.arange(HEIGHT)[:, None] + 0.5) / HEIGHT / 1e3
    pixels[40:170, 60:300, 2] = 1.0
    pixels[40:170, 60:300, :2] -= 0.2
    return pixels


def carried_out(steps, pixels):
    raster = Raster(pixels, 1.0)
    for step in steps:
        raster = step.apply(raster)
    return raster.pixels


@pytest.mark.parametrize("name", CHAINS)
def test_a_prepared_pixel_lies_where_its_colour_says(name):
    steps, pixels = CHAINS[name], positions()
    prepared = carried_out(steps, pixels)
    plan = placement_plan((*steps, PLAIN))
    [matrix] = read_placements(carried_out(plan, pixels)[None])
    inside = [(0.4, 0.45), (0.5, 0.5), (0.62, 0.55)]
    for x, y in inside:
        column, row = int(x * prepared.shape[1]), int(y * prepared.shape[0])
        red, green, _ = prepared[row, column]
        expected = red * 1e3 * WIDTH, green * 1e3 * HEIGHT
        assert matrix @ (column + 0.5, row + 0.5, 1.0) == pytest.approx(expected, abs=1.5)


def test_steps_that_move_nothing_are_the_identity():
    plan = placement_plan((Clahe(), PLAIN))
    grey = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    [matrix] = read_placements(carried_out(plan, grey)[None])
    np.testing.assert_allclose(matrix, np.eye(2, 3))


def test_no_spec_can_name_it():
    [placement, _] = placement_plan((Resize(8, 8), PLAIN))
    assert json.loads(json.dumps(step_to_dict(placement)))["step"] == "placement"
    with pytest.raises(Exception, match="'placement' is unknown"):
        step_from_dict(step_to_dict(placement))
