"""Which files are slides: by their directories, not by their names."""

from __future__ import annotations

import contextlib
import os
import struct

import numpy as np
import pytest
import tifffile
from slide_files import glass, pyramid, write_aperio, write_ndpi

from cbir.errors import ImageError
from cbir.images.slides.sniff import is_slide

LIMIT = 512 << 20
SMALL = glass((700, 500), ((100, 100, 300, 200),))


def judged(path, max_pixel_bytes=LIMIT) -> bool:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return is_slide(descriptor, max_pixel_bytes)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("options", [{}, {"bigtiff": True}, {"byteorder": ">"}], ids=str)
def test_a_pyramid_is_a_slide_whatever_its_byte_order(tmp_path, options):
    with tifffile.TiffWriter(tmp_path / "pyramid", **options) as file:
        for level in pyramid(SMALL, 2):
            file.write(level, tile=(64, 64), photometric="rgb", metadata=None)
    assert judged(tmp_path / "pyramid")


def test_aperio_and_hamamatsu_are_slides(tmp_path):
    write_aperio(tmp_path / "a", pyramid(SMALL, 2), properties="AppMag = 20")
    write_ndpi(tmp_path / "n", SMALL, power=20, mpp=0.5)
    assert judged(tmp_path / "a")
    assert judged(tmp_path / "n")


def test_an_ndpi_beyond_4_gib_is_a_slide_and_a_file_of_holes_is_none(tmp_path):
    at = 5 << 30
    entries = [(256, 4, 1, 90_000), (257, 4, 1, 80_000), (65420, 4, 1, 1)]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *each) for each in entries)
    with (tmp_path / "far").open("wb") as file:
        file.write(b"II*\0" + struct.pack("<Q", at))
        file.seek(at)
        file.write(directory + bytes(8))
    assert judged(tmp_path / "far")
    with (tmp_path / "far").open("r+b") as file:
        file.seek(at)
        file.write(bytes(len(directory)))
    assert not judged(tmp_path / "far")


@pytest.mark.parametrize("tile", [None, (64, 64)])
def test_an_ordinary_tiff_is_none_and_neither_are_pages_of_one_size(tmp_path, tile):
    with tifffile.TiffWriter(tmp_path / "pages") as file:
        for _ in range(2):
            file.write(SMALL, tile=tile, photometric="rgb", metadata=None)
    assert not judged(tmp_path / "pages")


def test_a_tiled_tiff_beyond_the_limit_is_a_slide(tmp_path):
    tifffile.imwrite(tmp_path / "large", SMALL, tile=(64, 64), photometric="rgb")
    assert not judged(tmp_path / "large", SMALL.size)
    assert judged(tmp_path / "large", SMALL.size - 1)


def test_a_smaller_page_of_another_shape_makes_no_pyramid(tmp_path):
    with tifffile.TiffWriter(tmp_path / "odd") as file:
        file.write(SMALL, tile=(64, 64), photometric="rgb", metadata=None)
        file.write(SMALL[:, :200], tile=(64, 64), photometric="rgb", metadata=None)
    assert not judged(tmp_path / "odd")


def test_a_slide_that_ends_before_its_last_directory_is_truncated(tmp_path):
    with tifffile.TiffWriter(tmp_path / "cut") as file:
        for level in pyramid(SMALL, 3):
            file.write(level, tile=(64, 64), photometric="rgb", metadata=None)
    with tifffile.TiffFile(tmp_path / "cut") as file:
        last = file.pages[2].offset
    os.truncate(tmp_path / "cut", last + 10)
    with pytest.raises(ImageError, match="truncated"):
        judged(tmp_path / "cut")


def test_nonsense_is_no_slide_and_no_error(tmp_path):
    tifffile.imwrite(tmp_path / "whole.tif", SMALL, tile=(64, 64), photometric="rgb")
    whole = (tmp_path / "whole.tif").read_bytes()
    rng = np.random.default_rng(3)
    nonsense = [b"", b"II*\0", b"II*\0" + b"\xff" * 4, b"MM\0+" + b"\xff" * 30, b"hello", whole[:40]]
    for n, data in enumerate(nonsense):
        (tmp_path / str(n)).write_bytes(data)
        assert not judged(tmp_path / str(n))
    for _ in range(300):
        damaged = bytearray(whole)
        for at in rng.integers(0, 400, 6):
            damaged[at] = rng.integers(0, 256)
        (tmp_path / "damaged").write_bytes(damaged)
        with contextlib.suppress(ImageError):
            judged(tmp_path / "damaged")
