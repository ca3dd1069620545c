"""Preprocessing: exact where a number is known, sane for every raster there can be."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbir.errors import SpecError
from cbir.images.image import Image, ImageInfo
from cbir.images.prepare import prepare
from cbir.images.steps import (
    STEPS,
    Clahe,
    CropBreast,
    Normalise,
    Raster,
    Resize,
    step_from_dict,
    step_to_dict,
)
from cbir.images.thumbnail import thumbnail

WHITE = {np.uint8: 255.0, np.uint16: 65535.0, np.float32: 1.0}
IMAGENET = Normalise((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def raster(values, dtype=np.uint8) -> Raster:
    return Raster(np.array(values, dtype=dtype), WHITE[dtype])


@st.composite
def rasters(draw) -> Raster:
    long_side, short_side = draw(st.integers(1, 3000)), draw(st.integers(1, 9))
    height, width = draw(st.permutations([long_side, short_side]))
    if draw(st.booleans()):
        height, width = draw(st.integers(1, 90)), draw(st.integers(1, 90))
    dtype = draw(st.sampled_from([np.uint8, np.uint16, np.float32]))
    shape = (height, width, 3) if draw(st.booleans()) else (height, width)
    noise = np.random.default_rng(draw(st.integers(0, 99))).random(shape)
    noise[noise < draw(st.sampled_from([0.0, 0.5, 0.99, 2.0]))] = draw(st.sampled_from([0.0, 1.0]))
    return Raster((noise * WHITE[dtype]).astype(dtype), WHITE[dtype])


steps = st.one_of(
    st.builds(CropBreast, st.integers(0, 50)),
    st.builds(Clahe, st.floats(0.1, 40.0), st.integers(1, 16)),
    st.builds(
        Resize,
        st.integers(1, 64),
        st.integers(1, 64),
        st.sampled_from(["stretch", "pad", "cover"]),
        st.sampled_from(["area", "linear", "cubic"]),
    ),
)


@settings(deadline=None, max_examples=150)
@given(rasters(), st.lists(steps, max_size=4))
def test_every_chain_of_steps_gives_finite_numbers_of_the_right_shape_and_range(source, chain):
    before = source.pixels.copy()
    result = source
    for step in chain:
        result = step.apply(result)
        assert result.pixels.size > 0
        assert result.pixels.shape[2:] == source.pixels.shape[2:]
        assert result.white == WHITE[result.pixels.dtype.type]
        assert result.pixels.min() >= 0
        assert result.pixels.max() <= result.white
        if isinstance(step, Resize):
            assert result.pixels.shape[:2] == (step.height_px, step.width_px)
    image = Image(source.pixels, source.white, 0, ImageInfo("png", *source.pixels.shape[1::-1], bits=8))
    prepared = prepare(image, (*chain, IMAGENET))
    assert prepared.dtype == np.float32
    assert prepared.shape == (3, *result.pixels.shape[:2])
    assert prepared.flags.c_contiguous
    assert np.isfinite(prepared).all()
    assert -2.2 < prepared.min() <= prepared.max() < 2.7
    np.testing.assert_array_equal(source.pixels, before)


@settings(deadline=None, max_examples=30)
@given(steps)
def test_a_step_survives_the_way_through_a_dictionary(step):
    assert step_from_dict(step_to_dict(step)) == step


def test_normalise_survives_the_way_through_a_dictionary_and_takes_whole_numbers():
    assert step_from_dict(step_to_dict(IMAGENET)) == IMAGENET
    plain = step_from_dict({"step": "normalise", "mean": [0, 0, 0], "std": [1, 1, 1]})
    assert step_to_dict(plain) == {"step": "normalise", "mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0]}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "unknown; the steps are crop_breast, clahe, macenko, resize, centre_crop, flip"),
        ({"step": "blur"}, "Step 'blur' is unknown"),
        ({"step": "clahe", "tile": 8}, "clahe has no setting 'tile'; it has clip, tiles"),
        ({"step": "clahe", "tiles": 8.5}, "tiles is 8.5; it must be a whole number"),
        ({"step": "clahe", "tiles": True}, "tiles is True"),
        ({"step": "clahe", "clip": "2"}, "clip is '2'; it must be a number"),
        ({"step": "clahe", "clip": 0}, "clip is 0.0; it must be a positive"),
        ({"step": "clahe", "clip": float("nan")}, "clip is nan"),
        ({"step": "clahe", "tiles": 0}, "tiles is 0"),
        ({"step": "crop_breast", "margin_px": -1}, "margin_px is -1"),
        ({"step": "resize", "height_px": 4}, "resize needs the setting 'width_px'"),
        ({"step": "resize", "height_px": 0, "width_px": 4}, "height_px is 0"),
        ({"step": "resize", "height_px": 4, "width_px": 4, "fit": "squeeze"}, "stretch, pad, cover"),
        ({"step": "resize", "height_px": 4, "width_px": 4, "fit": 1}, "fit is 1; it must be text"),
        ({"step": "resize", "height_px": 4, "width_px": 4, "interpolation": "sinc"}, "area, linear, cubic"),
        ({"step": "normalise", "mean": [0, 0], "std": [1, 1, 1]}, "each must be three numbers"),
        ({"step": "normalise", "mean": [0, 0, 0], "std": [1, 0, 1]}, "each number must be above 0"),
        ({"step": "normalise", "mean": 0.5, "std": [1, 1, 1]}, "mean is 0.5"),
    ],
)
def test_a_step_that_makes_no_sense_is_refused_and_named(settings, words):
    with pytest.raises(SpecError) as caught:
        step_from_dict(settings)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_step_is_listed_under_its_own_name():
    assert list(STEPS)[-2:] == ["normalise", "grey"]
    assert all(kind.name == name for name, kind in STEPS.items())


def test_normalise_golden_values():
    """By hand: (v / 255 - mean) / std."""
    prepared = Normalise((0.0, 0.5, 0.25), (1.0, 0.5, 0.25)).apply(raster([[0, 255, 51]])).pixels
    expected = [[[0, 1, 0.2]], [[-1, 1, -0.6]], [[-1, 3, -0.2]]]
    np.testing.assert_allclose(prepared, expected, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_normalise_means_the_same_in_every_depth(dtype):
    grey = np.array([[0.0, 1.0, 0.2]])
    source = Raster((grey * WHITE[dtype]).round(6).astype(dtype), WHITE[dtype])
    expected = [(grey - m) / s for m, s in zip(IMAGENET.mean, IMAGENET.std, strict=True)]
    np.testing.assert_allclose(IMAGENET.apply(source).pixels, expected, atol=2e-6)


def test_normalise_keeps_red_first():
    prepared = Normalise((0, 0, 0), (1, 1, 1)).apply(raster([[[255, 0, 51]]])).pixels
    np.testing.assert_allclose(prepared[:, 0, 0], [1.0, 0.0, 0.2], atol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_resize_by_area_averages_the_pixels_it_covers(dtype):
    """Means of 2 by 2 blocks, by hand."""
    source = raster([[0, 2, 10, 20], [4, 6, 30, 40]], np.uint8)
    source = Raster((source.pixels / 255.0 * WHITE[dtype]).round(6).astype(dtype), WHITE[dtype])
    got = Resize(1, 2).apply(source).pixels / source.white * 255.0
    np.testing.assert_allclose(got, [[3, 25]], atol=0.02)


def test_resize_stretch_ignores_and_pad_and_cover_keep_the_aspect_ratio():
    wide = raster([[10, 20, 30, 40]] * 2)
    assert Resize(2, 2).apply(wide).pixels.tolist() == [[15, 35], [15, 35]]
    assert Resize(4, 4, "pad").apply(wide).pixels.tolist() == [
        [0] * 4,
        [10, 20, 30, 40],
        [10, 20, 30, 40],
        [0] * 4,
    ]
    assert Resize(2, 2, "cover").apply(wide).pixels.tolist() == [[20, 30], [20, 30]]


def test_resize_covers_a_hair_without_blowing_it_up():
    hair = Raster(np.full((30_000, 1), 77, np.uint8), 255.0)
    assert (Resize(224, 224, "cover").apply(hair).pixels == 77).all()


def test_resize_leaves_16_bits_16_bits():
    ramp = Raster(np.arange(0, 65536, 16, dtype=np.uint16).reshape(64, 64), 65535.0)
    resized = Resize(32, 32).apply(ramp).pixels
    assert resized.dtype == np.uint16
    assert len(np.unique(resized)) == 1024


@pytest.mark.parametrize("interpolation", ["area", "linear", "cubic"])
@pytest.mark.parametrize("fit", ["stretch", "cover"])
def test_resize_of_a_constant_is_the_constant(fit, interpolation):
    for shape in [(1, 1), (1, 500), (500, 1), (37, 53)]:
        constant = Raster(np.full(shape, 12345, np.uint16), 65535.0)
        assert (Resize(17, 23, fit, interpolation).apply(constant).pixels == 12345).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_clahe_is_opencv_s(dtype):
    grey = (np.random.default_rng(0).random((96, 64)) ** 3 * WHITE[dtype]).astype(dtype)
    expected = cv2.createCLAHE(2.0, (8, 8)).apply(grey)
    np.testing.assert_array_equal(Clahe().apply(Raster(grey, WHITE[dtype])).pixels, expected)


def test_clahe_equalises_luma_and_leaves_the_hue():
    grey = (np.random.default_rng(0).random((64, 64)) ** 2 * 255).astype(np.uint8)
    coloured = Clahe().apply(Raster(np.dstack([grey] * 3), 255.0)).pixels
    np.testing.assert_array_equal(coloured, np.dstack([Clahe().apply(Raster(grey, 255.0)).pixels] * 3))


def breast(dtype, *, colour) -> Raster:
    """A black film, a half disc on the left, a small bright marker on the right."""
    pixels = np.zeros((600, 500), np.float64)
    cv2.circle(pixels, (0, 300), 200, 0.5, -1)
    pixels[20:50, 440:480] = 1.0
    pixels = (pixels * WHITE[dtype]).astype(dtype)
    return Raster(np.dstack([pixels] * 3) if colour else pixels, WHITE[dtype])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("colour", [False, True])
def test_crop_keeps_the_breast_and_loses_the_marker(dtype, colour):
    cropped = CropBreast(margin_px=10).apply(breast(dtype, colour=colour)).pixels
    height, width = cropped.shape[:2]
    assert 420 <= height <= 440
    assert 210 <= width <= 222
    assert cropped.max() == dtype(0.5 * WHITE[dtype])
    assert np.count_nonzero(cropped) == np.count_nonzero(breast(dtype, colour=colour).pixels[:, :300])


def test_crop_leaves_whole_what_has_no_object_or_is_one():
    noise = np.random.default_rng(0).integers(100, 200, (300, 200), dtype=np.uint8)
    speck = np.zeros((300, 200), np.uint8)
    speck[100:102, 100:102] = 255
    for pixels in (noise, speck, np.zeros((300, 200), np.uint8), np.full((1, 1), 9, np.uint8)):
        assert CropBreast().apply(Raster(pixels, 255.0)).pixels.shape == pixels.shape


def test_crop_finds_the_breast_in_real_mammograms(mini_mias):
    shares = []
    for path in sorted((mini_mias / "images").iterdir())[::20]:
        pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        cropped = CropBreast().apply(Raster(pixels, 255.0)).pixels
        assert cropped.sum(dtype=np.int64) > 0.85 * pixels.sum(dtype=np.int64)
        shares.append(cropped.size / pixels.size)
    assert np.median(shares) < 0.6


@pytest.mark.parametrize("chain", [(), (Resize(4, 4),), (IMAGENET, Resize(4, 4)), (IMAGENET, IMAGENET)])
def test_prepare_wants_exactly_one_normalise_at_the_end(chain):
    image = Image(np.zeros((3, 3), np.uint8), 255.0, 0, ImageInfo("png", 3, 3, 8))
    with pytest.raises(ValueError, match="end them with normalise"):
        prepare(image, chain)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_thumbnail_is_a_small_8_bit_jpeg_of_the_same_colours(dtype):
    colour = np.zeros((300, 600, 3))
    colour[..., 0] = 1.0
    image = Image((colour * WHITE[dtype]).astype(dtype), WHITE[dtype], 0, ImageInfo("png", 600, 300, 8))
    decoded = cv2.imdecode(np.frombuffer(thumbnail(image), np.uint8), cv2.IMREAD_UNCHANGED)
    assert decoded.shape == (96, 192, 3)
    np.testing.assert_allclose(decoded.mean((0, 1))[::-1], [254, 0, 0], atol=2)


def test_a_thumbnail_never_enlarges_and_never_vanishes():
    for shape, expected in [((5, 7), (5, 7)), ((1, 1), (1, 1)), ((1, 4000), (1, 192))]:
        image = Image(np.full(shape, 200, np.uint8), 255.0, 0, ImageInfo("png", *shape[::-1], 8))
        decoded = cv2.imdecode(np.frombuffer(thumbnail(image), np.uint8), cv2.IMREAD_UNCHANGED)
        assert decoded.shape == expected
