"""Slides that are damaged, that lie, and workers that die over them."""

from __future__ import annotations

import contextlib
import os
import signal
import struct
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
import tifffile
from slide_files import glass, pyramid, write_tiff

from cbir.errors import ImageError, SkipReason
from cbir.images.files import SlideFile, opened_slide, read_file_or_slide
from cbir.images.pool import DecodePool
from cbir.images.settings import DecodeLimits, ReadSpec
from cbir.images.slides.spec import SlideSpec
from cbir.images.steps import Normalise, Resize

pytest.importorskip("openslide", reason="whole slides need the extra wsi")

SPEC = SlideSpec(mpp=1.0, tile_px=64)
STEPS = (Resize(64, 64), Normalise((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)))
PNG = cv2.imencode(".png", np.zeros((9, 9), np.uint8))[1].tobytes()


@pytest.fixture
def pool():
    with DecodePool(ReadSpec(), [STEPS], slides=SPEC, n_workers=1, limits=DecodeLimits(timeout_s=20)) as pool:
        yield pool


def n_tiles_of(pool: DecodePool, path: Path) -> int:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return sum(len(chunk.boxes) for chunk in pool.decode_slide(descriptor))
    finally:
        os.close(descriptor)


def decode_any(pool: DecodePool, path: Path) -> None:
    found = read_file_or_slide(str(path), DecodeLimits(), slides=SPEC)
    if isinstance(found, SlideFile):
        n_tiles_of(pool, path)
    else:
        pool.decode(found.data)


def refusal(pool: DecodePool, path: Path) -> ImageError:
    with pytest.raises(ImageError) as caught:
        n_tiles_of(pool, path)
    assert len(pool.decode(PNG)) == 1
    return caught.value


def set_tag(path: Path, tag: int, value: int, page: int = 0) -> None:
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[page].tags[tag].overwrite(value)


def tiles_of_level(path: Path, page: int) -> list[tuple[int, int]]:
    """Where the tiles of a level lie in the file."""
    with tifffile.TiffFile(path) as file:
        return list(zip(file.pages[page].dataoffsets, file.pages[page].databytecounts, strict=True))


def overwrite(path: Path, at: int, n_bytes: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * n_bytes)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_cut_off_slide_is_truncated_or_malformed(pool, make_slide, share):
    path = make_slide()
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ImageError) as caught:
        decode_any(pool, path)
    assert caught.value.reason in {SkipReason.TRUNCATED, SkipReason.MALFORMED}


@pytest.mark.parametrize(
    ("sides", "reasons"),
    [
        ((40_000, 2200), {SkipReason.MALFORMED}),
        ((3000, 1), {SkipReason.MALFORMED}),
        ((2**31 - 1, 2**31 - 1), {SkipReason.TOO_LARGE, SkipReason.UNSUPPORTED, SkipReason.MALFORMED}),
        ((400_000, 300_000), {SkipReason.TOO_LARGE, SkipReason.MALFORMED}),
    ],
    ids=["wide", "flat", "most", "large"],
)
def test_a_slide_that_lies_about_its_size_is_skipped(pool, make_slide, sides, reasons):
    path = make_slide()
    set_tag(path, 256, sides[0])
    set_tag(path, 257, sides[1])
    assert refusal(pool, path).reason in reasons


def test_a_few_unreadable_tiles_are_left_out_and_said(pool, make_slide):
    path = make_slide(pixels=glass((3000, 2200), ((100, 100, 2800, 2000),)), n_levels=2)
    before = n_tiles_of(pool, path)
    offset, n_bytes = tiles_of_level(path, 0)[2 * 12 + 3]  # 256 pixels a tile: x 768, y 512
    overwrite(path, offset, n_bytes)
    descriptor = os.open(path, os.O_RDONLY)
    chunks = list(pool.decode_slide(descriptor))
    os.close(descriptor)
    n_bad = before - sum(len(chunk.boxes) for chunk in chunks)
    assert 0 < n_bad * 10 <= before
    assert chunks[-1].notes == (f"{n_bad} of {before} tissue tiles can't be read",)


def test_a_slide_with_many_unreadable_tiles_is_malformed(pool, make_slide):
    path = make_slide(n_levels=2)
    for offset, n_bytes in tiles_of_level(path, 0)[24:60]:
        overwrite(path, offset, n_bytes)
    error = refusal(pool, path)
    assert error.reason is SkipReason.MALFORMED
    assert "can't be read" in error.detail


def test_a_slide_whose_overview_is_unreadable_is_malformed(pool, make_slide):
    path = make_slide()
    for level in (1, 2):
        for offset, n_bytes in tiles_of_level(path, level):
            overwrite(path, offset, n_bytes)
    assert refusal(pool, path).reason is SkipReason.MALFORMED


def test_a_worker_that_dies_in_the_middle_ends_the_slide_and_no_other(pool, tmp_path):
    path = tmp_path / "large.tif"
    write_tiff(path, pyramid(glass((3000, 2200), ((100, 100, 2800, 2000),)), 3), mpp=0.25)
    descriptor = os.open(path, os.O_RDONLY)
    spec = SlideSpec(mpp=0.25, tile_px=64)
    with DecodePool(ReadSpec(), [STEPS], slides=spec, n_workers=1) as own:
        chunks = own.decode_slide(descriptor)
        assert len(next(chunks).boxes) == 64
        for worker in psutil.Process().children():
            os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(ImageError) as caught:
            list(chunks)
        assert caught.value.reason is SkipReason.DECODER_CRASHED
        assert caught.value.detail == "killed by SIGKILL"
        assert len(own.decode(PNG)) == 1
    os.close(descriptor)


def test_leaving_early_frees_the_worker(pool, make_slide):
    descriptor = os.open(make_slide(), os.O_RDONLY)
    for _ in range(2):
        chunks = pool.decode_slide(descriptor)
        next(chunks)
        chunks.close()
    os.close(descriptor)
    assert len(pool.decode(PNG)) == 1


def test_a_slide_that_takes_too_long_is_a_timeout(make_slide):
    path = make_slide()
    with DecodePool(
        ReadSpec(), [STEPS], slides=SPEC, n_workers=1, limits=DecodeLimits(timeout_s=0.001)
    ) as hasty:
        with pytest.raises(ImageError) as caught:
            n_tiles_of(hasty, path)
        assert caught.value.reason is SkipReason.DECODER_TIMEOUT


def test_a_pool_that_knows_no_slides_refuses_one(make_slide):
    with DecodePool(ReadSpec(), [STEPS], n_workers=1) as pool, pytest.raises(ImageError) as caught:
        n_tiles_of(pool, make_slide())
    assert caught.value.reason is SkipReason.UNSUPPORTED


def test_a_slide_that_changes_between_hash_and_decoding_is_changed(make_slide, tmp_path):
    path = make_slide()
    slide = read_file_or_slide(str(path), DecodeLimits(), slides=SPEC)
    assert isinstance(slide, SlideFile)
    os.utime(path, (1, 1))
    with pytest.raises(ImageError) as caught, opened_slide(slide):
        pass
    assert caught.value.reason is SkipReason.CHANGED
    path.rename(tmp_path / "target")
    path.symlink_to(tmp_path / "target")
    with pytest.raises(ImageError) as caught, opened_slide(slide):
        pass
    assert caught.value.reason is SkipReason.SYMLINK


def test_damaged_headers_never_hurt_the_main_process(pool, make_slide):
    path = make_slide(pixels=glass((700, 500), ((100, 100, 400, 300),)), n_levels=2)
    whole = path.read_bytes()
    (first,) = struct.unpack_from("<I", whole, 4)
    rng = np.random.default_rng(2)
    for _ in range(60):
        damaged = bytearray(whole)
        for at in rng.integers(first, first + 240, 3):
            damaged[at] = rng.integers(0, 256)
        path.write_bytes(damaged)
        with contextlib.suppress(ImageError):
            decode_any(pool, path)
    assert len(pool.decode(PNG)) == 1
