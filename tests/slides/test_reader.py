"""A slide to tiles, through the worker: where they lie, what they show, and what the slide may say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing

import cv2
import numpy as np
import pytest
from slide_files import (
    CANARY,
    PIECES,
    SIZE,
    glass,
    pyramid,
    write_aperio,
    write_ndpi,
    write_tiff,
)

from cbir.errors import ImageError, SkipReason
from cbir.images.pool import DecodedFrame, DecodePool
from cbir.images.settings import DecodeLimits, ReadSpec
from cbir.images.slides.spec import SlideSpec
from cbir.images.steps import Normalise, Resize

pytest.importorskip("openslide", reason="whole slides need the extra wsi")

STEPS = (Resize(32, 32), Normalise((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))
SAME = (Resize(64, 64), Normalise((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))
AT_10X = SlideSpec(mpp=1.0, tile_px=64)


def chunks(path, spec: SlideSpec = AT_10X, plans=(SAME,), **settings) -> Iterator[DecodedFrame]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with (
            DecodePool(ReadSpec(), plans, slides=spec, n_workers=1, **settings) as pool,
            closing(pool.decode_slide(descriptor)) as tiles,
        ):
            yield from tiles
    finally:
        os.close(descriptor)


def read(path, spec: SlideSpec = AT_10X, **settings) -> tuple[DecodedFrame, np.ndarray]:
    """What the last chunk says, with all boxes and all tiles."""
    frames = list(chunks(path, spec, **settings))
    boxes = tuple(box for frame in frames for box in frame.boxes)
    tiles = np.concatenate([frame.prepared[0] for frame in frames])
    assert len(boxes) == len(tiles)
    assert max(len(frame.boxes) for frame in frames) <= 64
    last = frames[-1]
    return DecodedFrame(0, (tiles,), boxes, last.thumbnail, last.pixels_sha256, last.info, last.notes), tiles


def refusal(path, spec: SlideSpec = AT_10X, **settings) -> ImageError:
    with pytest.raises(ImageError) as caught:
        read(path, spec, **settings)
    return caught.value


def tissue_of(box: tuple[int, int, int, int]) -> float:
    """How much of a box is one of the pieces."""
    x, y, width, height = box
    shared = 0
    for left, top, across, down in PIECES:
        overlap_x = min(x + width, left + across) - max(x, left)
        overlap_y = min(y + height, top + down) - max(y, top)
        shared += max(overlap_x, 0) * max(overlap_y, 0)
    return shared / (width * height)


def test_tiles_lie_on_tissue_and_nowhere_else(make_slide):
    slide, _ = read(make_slide())
    assert min(tissue_of(box) for box in slide.boxes) > 0.45
    n_expected = sum(width * height for _, _, width, height in PIECES) / 128**2
    assert 0.8 * n_expected < len(slide.boxes) < 1.2 * n_expected
    assert {(width, height) for _, _, width, height in slide.boxes} == {(128, 128)}
    assert (slide.frame, slide.notes) == (0, ())


def test_a_tile_shows_what_level_0_shows_there_at_the_stated_scale(make_slide):
    picture = glass()
    for mpp, tolerance in ((0.5, 0.01), (1.0, 0.6), (1.7, 3.0), (2.0, 2.0), (3.1, 3.0)):
        slide, tiles = read(make_slide(pixels=picture), SlideSpec(mpp=mpp, tile_px=64, overlap=0.3))
        for (x, y, width, height), tile in zip(slide.boxes, tiles, strict=True):
            region = picture[y : y + height, x : x + width]
            expected = cv2.resize(region, (64, 64), interpolation=cv2.INTER_AREA).transpose(2, 0, 1)
            assert np.abs(tile * 255 - expected).mean() < tolerance


def test_every_format_gives_the_same_tiles(make_slide, tmp_path):
    generic, plain = read(make_slide())
    write_aperio(tmp_path / "a.svs", pyramid(glass(), 3), properties="AppMag = 20|MPP = 0.5")
    write_ndpi(tmp_path / "n.ndpi", glass(), power=20, mpp=0.5)
    for name, vendor in (("a.svs", "aperio"), ("n.ndpi", "hamamatsu")):
        slide, tiles = read(tmp_path / name)
        assert slide.boxes == generic.boxes
        assert np.abs(tiles - plain).mean() * 255 < 6
        assert slide.info.metadata() == generic.info.metadata() | {"vendor": vendor, "objective_power": 20.0}
    assert generic.info.metadata() == {
        "format": "slide", "width": SIZE[0], "height": SIZE[1], "bits": 8, "n_frames": 1, "mpp": 0.5,
        "vendor": "generic-tiff",
    }  # fmt: skip


def test_the_thumbnail_is_the_slide_made_small_and_no_label_of_it(tmp_path):
    write_aperio(tmp_path / "a.svs", pyramid(glass(), 3), properties="AppMag = 20|MPP = 0.5")
    slide, _ = read(tmp_path / "a.svs", thumbnail_side_px=150)
    picture = cv2.imdecode(np.frombuffer(slide.thumbnail, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert picture.shape == (110, 150, 3)
    small = cv2.resize(glass(), (150, 110), interpolation=cv2.INTER_AREA)
    assert np.abs(picture.astype(int) - small).mean() < 8
    assert CANARY not in repr(slide.info)
    assert CANARY.encode() not in slide.thumbnail


def test_every_plan_gets_every_tile(make_slide):
    for frame in chunks(make_slide(), plans=(STEPS, SAME)):
        assert [plan.shape[1:] for plan in frame.prepared] == [(3, 32, 32), (3, 64, 64)]
        assert {len(plan) for plan in frame.prepared} == {len(frame.boxes)}


def test_of_too_many_tiles_an_even_spread_is_taken_and_said(make_slide):
    whole, _ = read(make_slide())
    few, _ = read(make_slide(), SlideSpec(mpp=1.0, tile_px=64, max_tiles=10))
    assert len(few.boxes) == 10
    assert set(few.boxes) <= set(whole.boxes)
    assert few.notes == (f"10 of {len(whole.boxes)} tissue tiles (max_tiles)",)
    assert {x > 1500 for x, _, _, _ in few.boxes} == {True, False}


def test_without_a_least_tissue_the_whole_slide_is_taken_its_edges_on_white(make_slide):
    picture = glass((100, 300), ())
    slide, tiles = read(make_slide(pixels=picture), SlideSpec(mpp=1.0, tile_px=64, min_tissue=0.0))
    assert slide.boxes == ((0, 0, 100, 128), (0, 86, 100, 128), (0, 172, 100, 128))
    assert tiles.min() > 0.99


def test_the_objective_says_the_scale_where_the_file_does_not(tmp_path):
    write_aperio(tmp_path / "a.svs", pyramid(glass(), 3), properties="AppMag = 20")
    slide, _ = read(tmp_path / "a.svs")
    assert slide.info.mpp == 0.5
    assert slide.boxes[0][2:] == (128, 128)


@pytest.mark.parametrize(
    ("how", "spec", "reason", "said"),
    [
        ({"mpp": None}, AT_10X, SkipReason.UNSUPPORTED, "neither its microns a pixel nor its objective"),
        ({"mpp": 4.0}, AT_10X, SkipReason.UNSUPPORTED, "4 microns a pixel, the extractor's slides want 1"),
        ({"mpp": 0.0001}, AT_10X, SkipReason.TOO_LARGE, "MiB of the slide's nearest level"),
        ({"pixels": glass(pieces=())}, AT_10X, SkipReason.NO_TISSUE, "no tile of 64 px is tissue"),
    ],
    ids=["no scale", "too coarse", "absurdly fine", "blank"],
)
def test_what_can_not_be_read_so_says_why(make_slide, how, spec, reason, said):
    error = refusal(make_slide(**how), spec)
    assert error.reason is reason
    assert said in error.detail


def test_a_tiled_tiff_that_openslide_does_not_know_is_unsupported(tmp_path):
    grey = glass()[..., 0].astype(np.uint16)
    import tifffile

    with tifffile.TiffWriter(tmp_path / "deep.tif") as file:
        for level in (grey, grey[::2, ::2]):
            file.write(level, tile=(256, 256), metadata=None, photometric="minisblack", predictor=False)
    assert refusal(tmp_path / "deep.tif").reason in {SkipReason.UNSUPPORTED, SkipReason.MALFORMED}


def test_without_the_library_the_extra_is_named(make_slide, tmp_path, monkeypatch):
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "openslide.py").write_text("raise ImportError")
    monkeypatch.syspath_prepend(str(tmp_path / "without"))
    error = refusal(make_slide())
    assert error.reason is SkipReason.MISSING_CODEC
    assert "pip install 'cbir[wsi]'" in error.detail


def test_a_slide_of_one_level_is_read_too(tmp_path):
    write_tiff(tmp_path / "flat.tif", [glass()], mpp=0.5)
    slide, _ = read(tmp_path / "flat.tif", limits=DecodeLimits(max_pixel_mb=4))
    assert min(tissue_of(box) for box in slide.boxes) > 0.45
