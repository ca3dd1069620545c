"""What a mask marks, as the decode pool tells it."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image as Pillow

from cbir.errors import SpecError
from cbir.images.mask_box import MASK_STEPS, Marked, MaskBox, read_marked
from cbir.images.pool import DecodePool
from cbir.images.reader import read_images
from cbir.images.settings import ReadSpec
from cbir.images.steps import STEPS, Raster, step_from_dict


def marked(pixels, white=255.0):
    raster = Raster(np.asarray(pixels), white)
    for step in MASK_STEPS:
        raster = step.apply(raster)
    return read_marked(raster.pixels)


def disc(height=60, width=90, dtype=np.uint8, value=255):
    rows, columns = np.mgrid[:height, :width]
    return np.where((rows - 20) ** 2 + (columns - 50) ** 2 <= 100, value, 0).astype(dtype)


@pytest.mark.parametrize("value", [1, 255])
def test_the_box_is_tight_around_what_is_not_zero(value):
    assert marked(disc(value=value)) == Marked((40, 10, 21, 21), is_mask=True)


def test_regions_apart_are_in_one_box_and_one_pixel_is_a_box():
    two = disc()
    two[59, 89] = 255
    assert marked(two).box == (40, 10, 50, 50)
    one = np.zeros((7, 9), np.uint8)
    one[6, 0] = 255
    assert marked(one) == Marked((0, 6, 1, 1), is_mask=True)


def test_an_empty_mask_marks_nothing_and_a_full_one_all():
    assert marked(np.zeros((4, 5), np.uint8)) == Marked(None, is_mask=True)
    assert marked(np.full((4, 5), 255, np.uint8)) == Marked((0, 0, 5, 4), is_mask=True)


def test_colours_and_floats_are_masks_too():
    assert marked(np.dstack([disc()] * 3)).box == (40, 10, 21, 21)
    assert marked(disc().astype(np.float32) / 255, 1.0).box == (40, 10, 21, 21)


def test_a_mask_that_went_through_jpeg_has_the_same_box():
    file = BytesIO()
    Pillow.fromarray(disc(600, 900)).save(file, "JPEG", quality=75)
    assert marked(np.asarray(Pillow.open(file))) == Marked((40, 10, 21, 21), is_mask=True)


def test_a_picture_is_no_mask():
    ramp = np.linspace(0, 255, 64 * 48).reshape(48, 64).astype(np.uint8)
    assert not marked(ramp).is_mask


def test_far_corners_of_large_masks_are_exact():
    large = np.zeros((30, 20011), np.uint8)
    large[29, 20010] = 1
    assert marked(large).box == (20010, 29, 1, 1)


@pytest.mark.parametrize(("dtype", "value"), [(np.uint8, 255), (np.uint8, 1), (np.uint16, 65535)])
def test_dicom_masks_are_read_in_the_worker(make_dicom, dtype, value):
    with DecodePool(ReadSpec(frames="first", voi="full"), [MASK_STEPS], n_workers=1) as pool:
        (frame,) = pool.decode(make_dicom(disc(dtype=dtype, value=value)))
        assert read_marked(frame.prepared[0]) == Marked((40, 10, 21, 21), is_mask=True)
        assert (frame.info.width, frame.info.height) == (90, 60)
        (empty,) = pool.decode(make_dicom(disc(dtype=dtype, value=0)))
        assert read_marked(empty.prepared[0]) == Marked(None, is_mask=True)


def test_a_dicom_mask_of_one_bit_is_read(make_dicom):
    bits = disc(64, 96, value=1)
    packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
    data = make_dicom(bits, BitsAllocated=1, BitsStored=1, HighBit=0, PixelData=packed)
    (image,) = read_images(data, ReadSpec(frames="first", voi="full"))
    assert marked(image.pixels, image.white) == Marked((40, 10, 21, 21), is_mask=True)


def test_no_spec_can_name_it():
    assert MaskBox.name not in STEPS
    with pytest.raises(SpecError, match="unknown"):
        step_from_dict({"step": MaskBox.name})
