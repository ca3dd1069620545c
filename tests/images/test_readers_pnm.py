"""PGM and PPM: samples against an oracle written by hand; sizes, cuts and nonsense."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from cbir.errors import ImageError, SkipReason
from cbir.images.reader import read_images
from cbir.images.settings import DecodeLimits
from cbir.images.sniff import sniff

RNG = np.random.default_rng(23)
TINY = b"P5\n3 2\n255\n" + bytes([0, 1, 2, 253, 254, 255])


def read(data):
    (image,) = read_images(data)
    return image


def refusal(data, **limits):
    with pytest.raises(ImageError) as skipped:
        read_images(data, limits=DecodeLimits(**limits))
    return skipped.value


def written(samples, white, *, plain=False):
    """A PGM or PPM, by the manual: rows from the top, the high byte first."""
    height, width = samples.shape[:2]
    kind = {(2, False): 5, (2, True): 2, (3, False): 6, (3, True): 3}[samples.ndim, plain]
    header = f"P{kind}\n# a comment\n{width} {height}\n{white}\n".encode()
    if plain:
        return header + b"\n".join(b" ".join(str(each).encode() for each in row.ravel()) for row in samples)
    n_bytes = 1 if white < 256 else 2
    return header + b"".join(int(each).to_bytes(n_bytes, "big") for each in samples.ravel())


@pytest.mark.parametrize("plain", [False, True], ids=["raw", "plain"])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (1, 1), (1, 1, 3)])
@pytest.mark.parametrize("white", [255, 65535])
def test_full_range_comes_back_as_it_is(white, shape, plain):
    samples = RNG.integers(0, white + 1, shape)
    samples.flat[0] = white
    image = read(written(samples, white, plain=plain))
    assert (image.pixels.dtype, image.white) == (np.dtype(f"u{1 + (white > 255)}"), white)
    assert (image.info.format, image.info.bits) == ("pnm", 8 if white == 255 else 16)
    np.testing.assert_array_equal(image.pixels, samples)
    assert image.notes == ()


@pytest.mark.parametrize("plain", [False, True], ids=["raw", "plain"])
@pytest.mark.parametrize(("white", "full"), [(1, 255), (15, 255), (256, 65535), (4095, 65535)])
def test_maxval_is_white_whatever_it_is(white, full, plain):
    samples = np.array([[0, 1, white // 2, white]])
    image = read(written(samples, white, plain=plain))
    assert image.white == full
    np.testing.assert_array_equal(image.pixels[0], [round(each * full / white) for each in samples[0]])
    assert image.info.bits == white.bit_length()


def test_it_is_as_opencv_reads_it():
    grey = RNG.integers(0, 65536, (40, 30)).astype(np.uint16)
    np.testing.assert_array_equal(read(cv2.imencode(".pgm", grey)[1].tobytes()).pixels, grey)
    colour = RNG.integers(0, 256, (40, 30, 3)).astype(np.uint8)
    np.testing.assert_array_equal(read(cv2.imencode(".ppm", colour)[1].tobytes()).pixels, colour[..., ::-1])


@pytest.mark.parametrize(
    "header",
    [
        b"P5 3 2 255 ",
        b"P5\n#CREATOR: a program\n3 2\n#another\n255\n",
        b"P5\r3\r2\r255\r",
        b"P5#at once\n3\t2 # 9 9\n255\n",
        b"P5\r\n3 2\r\n255\r\n",
    ],
)
def test_headers_may_hold_comments_and_any_white_space(header):
    np.testing.assert_array_equal(read(header + TINY[-6:]).pixels, [[0, 1, 2], [253, 254, 255]])


def test_a_first_pixel_that_looks_like_white_space_is_a_pixel():
    np.testing.assert_array_equal(read(b"P5 2 2 255\n\n\r #").pixels, [[10, 13], [32, 35]])


def test_comments_among_the_numbers_of_a_plain_file_are_skipped():
    np.testing.assert_array_equal(read(b"P2 2 1 255\n7 # 8 9\n 12\n").pixels, [[7, 12]])


def test_samples_above_white_are_white_and_that_is_said():
    for data in (b"P5 3 1 100\n\x64\x65\xff", b"P2 3 1 100\n100 101 255"):
        image = read(data)
        np.testing.assert_array_equal(image.pixels, [[255, 255, 255]])
        assert image.notes == ("2 samples above white: white",)


def test_of_several_images_the_first_is_read_and_that_is_said():
    image = read(TINY + TINY)
    np.testing.assert_array_equal(image.pixels, read(TINY).pixels)
    assert image.notes == ("first of several images",)
    assert read(TINY + b"\n").notes == ()


@pytest.mark.parametrize(
    "cut",
    [
        TINY[:-1],
        TINY[:11],
        b"P5 3 2 65535\n" + bytes(11),
        b"P2 3 1 255\n1 2",
        b"P2 3 1 255\n",
        b"P2 1 1 255\n ",
        b"P2 2 1 9\n999",
    ],
)
def test_a_cut_file_is_truncated(cut):
    assert refusal(cut).reason is SkipReason.TRUNCATED


@pytest.mark.parametrize(
    "nonsense",
    [
        b"P5 3 2 0\n" + bytes(6),
        b"P5 3 2 65536\n" + bytes(99),
        b"P5 0 2 255\n" + bytes(6),
        b"P2 2 1 255\n1 x",
        b"P2 2 1 255\n1 -2",
        b"P2 2 1 255\n1.5 2",
    ],
)
def test_what_the_format_does_not_allow_is_malformed(nonsense):
    assert refusal(nonsense).reason is SkipReason.MALFORMED


@pytest.mark.parametrize("kind", [2, 3, 5, 6])
def test_a_hostile_size_is_refused_from_the_header_naming_the_setting(kind):
    error = refusal(f"P{kind} 60000 60000 255\n".encode() + bytes(99))
    assert error.reason is SkipReason.TOO_LARGE
    assert "max_pixel_mb" in error.detail
    assert refusal(f"P{kind} {10**19} {10**19} 255\n".encode()).reason is SkipReason.TOO_LARGE


@pytest.mark.parametrize(
    "text", [b"P2 is a group of 12 women\n", b"P5\n", b"P1 2 2\n1 0 1 0", b"P55 3 2 255\n"]
)
def test_text_that_starts_like_one_is_no_image(text):
    assert sniff(text) is None
    assert refusal(text).reason is SkipReason.NOT_AN_IMAGE


def test_a_real_mammogram_as_pgm_is_the_one_as_png(mini_mias):
    png = read(min((mini_mias / "images").glob("*.png")).read_bytes()).pixels
    pgm = cv2.imencode(".pgm", png)[1].tobytes()
    np.testing.assert_array_equal(read(pgm).pixels, png)


def test_mutated_files_are_read_or_refused_by_name():
    dice = np.random.default_rng(31)
    seeds = [TINY, b"P2\n2 2\n# c\n15\n1 2\n3 15\n", b"P6 1 2 65535\n" + bytes(12), b"P3 1 1 9 1 2 3\n"]
    for _ in range(1500):
        data = bytearray(seeds[dice.integers(len(seeds))])
        for place in dice.integers(0, len(data), 3):
            data[place] = dice.choice(list(b"0123456789 #\n\rP-.\xff"))
        try:
            images = read_images(bytes(data), limits=DecodeLimits(max_pixel_mb=8))
        except ImageError as error:
            refused = error.detail
            assert "the decoder failed" not in refused
        else:
            assert len(images) == 1
