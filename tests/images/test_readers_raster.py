"""PNG, JPEG, TIFF, WebP, BMP and GIF: depths, colours, transparency, orientation, pages."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import imagecodecs
import numpy as np
import pytest
from PIL import Image as Pillow

from cbir.errors import ImageError, SkipReason
from cbir.images.reader import read_images
from cbir.images.settings import DecodeLimits, ReadSpec

RNG = np.random.default_rng(11)
GREY = RNG.integers(0, 256, (6, 9)).astype(np.uint8)
COLOUR = RNG.integers(0, 256, (6, 9, 3)).astype(np.uint8)
GREY16 = RNG.integers(0, 65536, (6, 9)).astype(np.uint16)
COLOUR16 = RNG.integers(0, 65536, (6, 9, 3)).astype(np.uint16)
SMOOTH = np.linspace(0, 255, 64 * 48).reshape(48, 64).astype(np.uint8)


def saved(image: np.ndarray | Pillow.Image, name: str, **options: object) -> bytes:
    file = BytesIO()
    picture = image if isinstance(image, Pillow.Image) else Pillow.fromarray(image)
    picture.save(file, name, **options)
    return file.getvalue()


def read(data: bytes, **spec: object):
    (image,) = read_images(data, ReadSpec(**spec))
    return image


def refusal(data: bytes, **limits: int) -> ImageError:
    with pytest.raises(ImageError) as skipped:
        read_images(data, limits=DecodeLimits(**limits))
    return skipped.value


@pytest.mark.parametrize("pixels", [GREY, COLOUR, GREY16, COLOUR16], ids=["grey", "rgb", "grey16", "rgb16"])
@pytest.mark.parametrize("encode", [imagecodecs.png_encode, imagecodecs.tiff_encode], ids=["png", "tiff"])
def test_full_range_integers_come_back_as_they_are(encode, pixels):
    image = read(encode(pixels))
    assert image.pixels.dtype == pixels.dtype
    assert image.white == np.iinfo(pixels.dtype).max
    np.testing.assert_array_equal(image.pixels, pixels)


@pytest.mark.parametrize("name", ["PNG", "TIFF", "BMP", "GIF"])
def test_one_bit_becomes_black_and_white(name):
    bits = Pillow.fromarray(GREY).convert("1")
    np.testing.assert_array_equal(read(saved(bits, name)).pixels, np.asarray(bits) * np.uint8(255))


@pytest.mark.parametrize("name", ["PNG", "WEBP", "TIFF"])
def test_transparency_is_put_over_black_and_said(name):
    alpha = np.full((6, 9, 1), 255, np.uint8)
    alpha[0] = 0
    alpha[1] = 51
    options = {"lossless": True, "exact": True} if name == "WEBP" else {}
    image = read(saved(np.concatenate([COLOUR, alpha], axis=2), name, **options))
    assert not image.pixels[0].any()
    np.testing.assert_allclose(image.pixels[1], COLOUR[1] / 5, atol=0.5)
    np.testing.assert_array_equal(image.pixels[2:], COLOUR[2:])
    assert image.notes == ("transparency put over black",)


def test_opaque_alpha_is_dropped_without_a_word():
    image = read(saved(np.dstack([GREY, np.full_like(GREY, 255)]), "PNG"))
    np.testing.assert_array_equal(image.pixels, GREY)
    assert image.notes == ()


def test_sixteen_bit_alpha_is_exact():
    half = np.dstack([GREY16, np.full_like(GREY16, 32768)])
    image = read(imagecodecs.png_encode(half))
    np.testing.assert_allclose(image.pixels, GREY16 * (32768 / 65535), atol=0.5)


@pytest.mark.parametrize("name", ["PNG", "TIFF", "GIF", "BMP"])
def test_a_palette_becomes_colours(name):
    indexed = Pillow.fromarray(COLOUR).quantize(16)
    np.testing.assert_array_equal(read(saved(indexed, name)).pixels, np.asarray(indexed.convert("RGB")))


def test_a_palette_with_a_transparent_colour_is_put_over_black():
    indexed = Pillow.fromarray(COLOUR).quantize(16)
    image = read(saved(indexed, "PNG", transparency=3))
    np.testing.assert_array_equal(image.pixels.any(axis=2), np.asarray(indexed) != 3)


def test_a_palette_of_greys_becomes_one_channel():
    indexed = Pillow.fromarray(GREY).convert("P")
    np.testing.assert_array_equal(read(saved(indexed, "PNG")).pixels, GREY)


def test_a_grey_jpeg_stays_grey_and_a_colour_jpeg_is_as_pillow_decodes_it():
    grey = saved(SMOOTH, "JPEG")
    np.testing.assert_array_equal(read(grey).pixels, np.asarray(Pillow.open(BytesIO(grey))))
    colour = saved(np.dstack([SMOOTH, SMOOTH[::-1], SMOOTH]), "JPEG")
    np.testing.assert_allclose(read(colour).pixels, np.asarray(Pillow.open(BytesIO(colour))), atol=1)


def test_a_twelve_bit_jpeg_keeps_its_depth():
    deep = (np.linspace(0, 4095, 64 * 48).reshape(48, 64)).astype(np.uint16)
    image = read(imagecodecs.jpeg8_encode(deep, level=100, bitspersample=12))
    assert image.info.bits == 12
    np.testing.assert_allclose(image.pixels / 65535, deep / 4095, atol=4 / 4095)


@pytest.mark.parametrize("name", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb_and_is_said(name):
    cmyk = Pillow.fromarray(np.dstack([SMOOTH, SMOOTH[::-1], SMOOTH, np.zeros_like(SMOOTH)]), "CMYK")
    image = read(saved(cmyk, name))
    assert image.pixels.shape == (48, 64, 3)
    np.testing.assert_allclose(image.pixels[..., 0], 255 - SMOOTH.astype(int), atol=6)
    assert "CMYK" in image.notes[0]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_the_exif_orientation_is_applied(name, orientation):
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    picture = Pillow.fromarray(np.dstack([SMOOTH] * 3))
    options = {"lossless": True} if name == "WEBP" else {}
    data = saved(picture, name, exif=exif, **options)
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # EXIF orientation to Pillow's transpositions
    expected = picture.transpose(turns[orientation]) if orientation in turns else picture
    image = read(data)
    ours = image.pixels if image.pixels.ndim == 3 else np.dstack([image.pixels] * 3)
    np.testing.assert_allclose(ours, np.asarray(expected), atol=3)
    assert (image.info.width, image.info.height) == expected.size


def test_white_is_zero_is_inverted():
    image = read(imagecodecs.tiff_encode(GREY, photometric="miniswhite"))
    np.testing.assert_array_equal(image.pixels, 255 - GREY)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.int32, np.uint32])
def test_other_numbers_are_scaled_by_their_min_max_and_that_is_said(dtype):
    values = (np.arange(54).reshape(6, 9) * 500 - (0 if dtype == np.uint32 else 10000)).astype(dtype)
    image = read(imagecodecs.tiff_encode(values))
    assert (image.pixels.dtype, image.white) == (np.float32, 1.0)
    np.testing.assert_allclose(image.pixels, np.arange(54).reshape(6, 9) / 53, atol=1e-6)
    assert image.notes == ("scaled by min-max",)


def test_floats_that_are_no_numbers_are_black():
    values = np.array([[1.0, np.nan], [np.inf, 3.0]], np.float32)
    image = read(imagecodecs.tiff_encode(values))
    np.testing.assert_array_equal(image.pixels, [[0, 0], [0, 1]])
    assert image.notes == ("scaled by min-max", "2 values that are no numbers: 0")


@pytest.mark.parametrize("name", ["TIFF", "GIF", "WEBP"])
def test_pages_follow_the_frames_policy(name):
    pages = [Pillow.fromarray(np.full((8, 8, 3), shade, np.uint8)) for shade in (10, 120, 240)]
    options = {"lossless": True} if name == "WEBP" else {}
    data = saved(pages[0], name, save_all=True, append_images=pages[1:], **options)
    middle = read(data)
    assert (middle.frame, int(middle.pixels.max())) == (1, 120)
    assert "frame 2 of 3 (middle)" in middle.notes
    assert [int(image.pixels.max()) for image in read_images(data, ReadSpec(frames="all"))] == [10, 120, 240]
    assert read(data, frames="first").pixels.max() == 10
    with pytest.raises(ImageError) as skipped:
        read(data, frames="skip")
    assert skipped.value.reason is SkipReason.POLICY


def test_an_animated_png_says_that_only_its_still_was_read():
    pages = [Pillow.fromarray(np.full((8, 8), shade, np.uint8)) for shade in (10, 240)]
    image = read(saved(pages[0], "PNG", save_all=True, append_images=pages[1:]))
    assert image.notes == ("still image of an animation of 2 frames",)


def test_thumbnails_and_pyramid_levels_are_no_pages():
    file = imagecodecs.tiff_encode(GREY16)
    both = imagecodecs.tiff_encode(GREY16[::2, ::2].copy(), subfiletype=1, appendto=file)
    image = read(both)
    assert image.info.n_frames == 1
    np.testing.assert_array_equal(image.pixels, GREY16)


@pytest.mark.parametrize("name", ["PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF"])
def test_a_cut_file_is_truncated(name):
    data = saved(np.dstack([SMOOTH, SMOOTH[::-1], SMOOTH]), name)
    for keep in (len(data) // 2, len(data) - 20):
        assert refusal(data[:keep]).reason is SkipReason.TRUNCATED, keep


def png_declaring(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    "bomb",
    [
        png_declaring(60000, 60000),
        saved(SMOOTH, "JPEG").replace(struct.pack(">HH", 48, 64), struct.pack(">HH", 60000, 60000)),
        saved(SMOOTH, "BMP").replace(struct.pack("<ii", 64, 48), struct.pack("<ii", 60000, 60000)),
        saved(SMOOTH, "GIF").replace(struct.pack("<HH", 64, 48), struct.pack("<HH", 60000, 60000)),
        imagecodecs.tiff_encode(GREY16)
        .replace(struct.pack("<HHIHH", 256, 3, 1, 9, 0), struct.pack("<HHIHH", 256, 3, 1, 60000, 0))
        .replace(struct.pack("<HHIHH", 257, 3, 1, 6, 0), struct.pack("<HHIHH", 257, 3, 1, 60000, 0)),
    ],
    ids=["png", "jpeg", "bmp", "gif", "tiff"],
)
def test_a_hostile_size_is_refused_from_the_header_naming_the_setting(bomb):
    error = refusal(bomb)
    assert error.reason is SkipReason.TOO_LARGE
    assert "max_pixel_mb" in error.detail


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"just text, whatever the name says\n" * 9, bytes(4096), b"%PDF-1.7"]
)
def test_what_is_no_image_is_known_by_its_content(content):
    assert refusal(content).reason is SkipReason.NOT_AN_IMAGE


def test_a_file_over_the_size_limit_is_refused_unread():
    error = refusal(saved(GREY, "PNG") + bytes(1 << 20), max_file_mb=1)
    assert error.reason is SkipReason.TOO_LARGE
    assert "--max-file-mb" in error.detail


def test_the_real_mammograms_are_as_pillow_reads_them(mini_mias):
    path = min((mini_mias / "images").glob("*.png"))
    np.testing.assert_array_equal(read(path.read_bytes()).pixels, np.asarray(Pillow.open(path).convert("L")))
