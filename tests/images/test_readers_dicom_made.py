"""What a DICOM file means, by files made so that the answer is known by hand."""

from __future__ import annotations

from io import BytesIO

import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from cbir.errors import ImageError, SkipReason
from cbir.images.reader import read_images
from cbir.images.settings import DecodeLimits, ReadPolicy, ReadSpec

RAMP = np.arange(0, 1200, 100, dtype=np.uint16).reshape(3, 4)
EIGHTHS = np.array([[0, 1, 2, 3], [4, 5, 6, 7]], np.uint16)


def read(data: bytes, **spec: object):
    (image,) = read_images(data, ReadSpec(**spec))
    return image


def lut_item(entries: list[int], first: int = 0, bits: int = 16) -> Dataset:
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, bits]
    item.LUTData = np.array(entries, "<u2").tobytes()
    item["LUTDescriptor"].VR, item["LUTData"].VR = "US", "OW"
    return item


def grey(image) -> list[float]:
    return np.round(image.pixels.ravel() / image.white, 3).tolist()


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_every_native_encoding_gives_the_same_pixels(make_dicom, syntax):
    expected = read(make_dicom(RAMP)).pixels
    np.testing.assert_array_equal(read(make_dicom(RAMP, syntax=syntax)).pixels, expected)


def test_a_file_without_preamble_and_meta_header_is_read(make_dicom):
    whole = make_dicom(RAMP)
    bare = whole[whole.index(b"\x08\x00\x16\x00UI") :]
    np.testing.assert_array_equal(read(bare).pixels, read(whole).pixels)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        # PS3.3 C.11.2.1 with center 4, width 4: LINEAR is (x - 3.5) / 3 + 0.5.
        ("LINEAR", [0, 0, 0, 0.333, 0.667, 1, 1, 1]),
        ("LINEAR_EXACT", [0, 0, 0, 0.25, 0.5, 0.75, 1, 1]),
        ("SIGMOID", [0.018, 0.047, 0.119, 0.269, 0.5, 0.731, 0.881, 0.953]),
    ],
)
def test_a_window_follows_its_function(make_dicom, function, expected):
    image = read(make_dicom(EIGHTHS, WindowCenter=4, WindowWidth=4, VOILUTFunction=function))
    assert grey(image) == expected


def test_a_window_of_width_one_is_a_step(make_dicom):
    assert grey(read(make_dicom(EIGHTHS, WindowCenter=4, WindowWidth=1))) == [0, 0, 0, 0, 1, 1, 1, 1]


def test_rescale_comes_before_the_window(make_dicom):
    # 2x - 4 is -4 … 10; the exact window is from 0 to 8.
    image = read(
        make_dicom(
            EIGHTHS,
            RescaleSlope=2,
            RescaleIntercept=-4,
            WindowCenter=4,
            WindowWidth=8,
            VOILUTFunction="LINEAR_EXACT",
        )
    )
    assert grey(image) == [0, 0, 0, 0.25, 0.5, 0.75, 1, 1]


def test_a_voi_lut_comes_before_a_window_and_clamps_at_its_ends(make_dicom):
    table = lut_item([0, 30000, 65535], first=2)
    image = read(make_dicom(EIGHTHS, VOILUTSequence=[table], WindowCenter=4, WindowWidth=4))
    assert grey(image) == [0, 0, 0, 0.458, 1, 1, 1, 1]


def test_a_modality_lut_replaces_rescale(make_dicom):
    table = lut_item([70, 60, 50, 40, 30, 20, 10, 0])
    image = read(make_dicom(EIGHTHS, ModalityLUTSequence=[table], RescaleSlope=5, RescaleIntercept=0))
    assert grey(image) == [1, 0.857, 0.714, 0.571, 0.429, 0.286, 0.143, 0]


def test_eight_bit_lut_entries_packed_into_bytes_are_read(make_dicom):
    table = lut_item([0] * 8, bits=8)
    table.LUTData = bytes([0, 255, 0, 255, 0, 255, 0, 255])
    assert grey(read(make_dicom(EIGHTHS, VOILUTSequence=[table]))) == [0, 1, 0, 1, 0, 1, 0, 1]


def test_monochrome1_is_inverted_last(make_dicom):
    window = {"WindowCenter": 4, "WindowWidth": 4}
    straight = read(make_dicom(EIGHTHS, **window))
    inverted = read(make_dicom(EIGHTHS, PhotometricInterpretation="MONOCHROME1", **window))
    np.testing.assert_array_equal(inverted.pixels, 65535 - straight.pixels)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_stays_out_of_the_min_max_and_is_black(make_dicom, photometric):
    padded = np.array([[60000, 10], [20, 60001]], np.uint16)
    data = make_dicom(
        padded,
        PhotometricInterpretation=photometric,
        PixelPaddingValue=60000,
        PixelPaddingRangeLimit=60001,
    )
    expected = [0, 1, 0, 0] if photometric == "MONOCHROME1" else [0, 0, 1, 0]
    assert grey(read(data)) == expected


def test_signed_padding_is_found(make_dicom):
    padded = np.array([[-2000, -5], [5, 0]], np.int16)
    assert grey(read(make_dicom(padded, PixelPaddingValue=-2000))) == [0, 0, 1, 0.5]


def test_bits_above_the_stored_ones_are_cleared_and_the_sign_extended(make_dicom):
    # 12 bits stored: 0xF001 has an overlay in its high bits; 0x0FFF is -1 when signed.
    stored = np.array([[0xF001, 0x0FFF], [0x0003, 0x0000]], np.uint16)
    unsigned = read(make_dicom(stored, BitsStored=12, HighBit=11))
    assert grey(unsigned) == [0, 1, 0.001, 0]
    signed = read(make_dicom(stored, BitsStored=12, HighBit=11, PixelRepresentation=1))
    assert grey(signed) == [0.5, 0, 1, 0.25]
    assert signed.info.bits == 12


def test_stored_bits_at_the_top_of_the_word_are_shifted_down(make_dicom):
    image = read(make_dicom(EIGHTHS << 4, BitsStored=12, HighBit=15))
    np.testing.assert_array_equal(image.pixels, read(make_dicom(EIGHTHS)).pixels)


def test_full_takes_the_min_max_and_leaves_the_window(make_dicom):
    data = make_dicom(EIGHTHS, WindowCenter=4, WindowWidth=2)
    np.testing.assert_array_equal(read(data, voi="full").pixels, read(make_dicom(EIGHTHS)).pixels)


def test_the_window_asked_for_is_taken_and_the_last_one_when_there_are_fewer(make_dicom):
    data = make_dicom(EIGHTHS, WindowCenter=[4, 2], WindowWidth=[1, 1])
    assert grey(read(data, window=1)) == [0, 0, 1, 1, 1, 1, 1, 1]
    assert read(data).notes == ("window 1 of 2",)
    last = read(data, window=7)
    assert grey(last) == grey(read(data, window=1))
    assert last.notes == ("window 8 asked for, 2 there: the last taken",)


@pytest.mark.parametrize("width", [0, -5])
def test_a_window_without_width_gives_way_to_the_min_max(make_dicom, width):
    image = read(make_dicom(EIGHTHS, WindowCenter=4, WindowWidth=width))
    np.testing.assert_array_equal(image.pixels, read(make_dicom(EIGHTHS)).pixels)
    assert image.notes == ("window without width: min-max taken",)


def test_a_constant_image_is_black(make_dicom):
    assert not read(make_dicom(np.full((2, 2), 7, np.uint16))).pixels.any()


def test_float_pixels_are_scaled_and_what_is_no_number_is_black(make_dicom):
    values = np.array([[0.0, 0.5], [1.0, np.nan]], np.float32)
    data = make_dicom(EIGHTHS[:1, :2].repeat(2, 0), PixelData=None, FloatPixelData=values.tobytes())
    image = read(data)
    assert image.pixels.dtype == np.float32
    assert image.white == 1.0
    assert grey(image) == [0, 0.5, 1, 0]


def test_the_middle_frame_is_read_and_said(make_dicom):
    frames = np.stack([np.full((2, 2), value, np.uint16) for value in range(5)])
    data = make_dicom(
        frames, NumberOfFrames=5, WindowCenter=2.5, WindowWidth=5, VOILUTFunction="LINEAR_EXACT"
    )
    image = read(data)
    assert (image.frame, grey(image)[0]) == (2, 0.4)
    assert image.notes == ("frame 3 of 5 (middle)",)
    assert [each.frame for each in read_images(data, ReadSpec(frames="all"))] == [0, 1, 2, 3, 4]
    assert read(data, frames="first").frame == 0
    with pytest.raises(ImageError) as skipped:
        read(data, frames="skip")
    assert skipped.value.reason is SkipReason.POLICY


def test_a_frame_uses_the_window_of_its_functional_group(make_dicom):
    def group(center: float) -> Dataset:
        window, item = Dataset(), Dataset()
        window.WindowCenter, window.WindowWidth = center, 1
        item.FrameVOILUTSequence = [window]
        return item

    frames = np.stack([EIGHTHS, EIGHTHS])
    data = make_dicom(frames, NumberOfFrames=2, PerFrameFunctionalGroupsSequence=[group(2), group(6)])
    first, second = read_images(data, ReadSpec(frames="all"))
    assert grey(first) == [0, 0, 1, 1, 1, 1, 1, 1]
    assert grey(second) == [0, 0, 0, 0, 0, 0, 1, 1]


def test_planar_and_interleaved_colours_are_the_same(make_dicom):
    colours = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    by_plane = np.ascontiguousarray(np.moveaxis(colours, -1, 0))
    data = make_dicom(colours, PlanarConfiguration=1, PixelData=by_plane.tobytes())
    np.testing.assert_array_equal(read(data).pixels, colours)


def test_palette_indices_become_colours(make_dicom):
    indices = np.array([[0, 1], [2, 1]], np.uint8)
    palette = {}
    for colour, entries in (("Red", [0, 10, 20]), ("Green", [30, 40, 50]), ("Blue", [60, 70, 255])):
        palette[f"{colour}PaletteColorLookupTableDescriptor"] = [3, 0, 16]
        palette[f"{colour}PaletteColorLookupTableData"] = (np.array(entries, "<u2") * 256).tobytes()
    image = read(make_dicom(indices, PhotometricInterpretation="PALETTE COLOR", **palette))
    assert image.pixels.tolist() == [[[0, 30, 60], [10, 40, 70]], [[20, 50, 255], [10, 40, 70]]]
    assert image.white == 255


@pytest.mark.parametrize(
    ("syntax", "encode"),
    [
        (JPEGLosslessSV1, lambda pixels: imagecodecs.jpeg8_encode(pixels, lossless=True)),
        (JPEGLSLossless, imagecodecs.jpegls_encode),
        ("1.2.840.10008.1.2.4.201", imagecodecs.htj2k_encode),
        ("1.2.840.10008.1.2.4.90", lambda pixels: imagecodecs.jpeg2k_encode(pixels, codecformat="j2k")),
    ],
)
def test_a_lossless_codec_changes_nothing(make_dicom, syntax, encode):
    pixels = np.random.default_rng(5).integers(0, 65536, (48, 40)).astype(np.uint16)
    frames = [encode(np.ascontiguousarray(pixels))]
    layout = {"syntax": syntax, "frames": frames}
    np.testing.assert_array_equal(read(make_dicom(pixels, **layout)).pixels, read(make_dicom(pixels)).pixels)


def test_run_lengths_are_undone(make_dicom):
    pixels = np.random.default_rng(5).integers(0, 65536, (48, 40)).astype(np.uint16)
    dataset = dcmread(BytesIO(make_dicom(pixels)))
    dataset.compress(RLELossless)
    file = BytesIO()
    dataset.save_as(file)
    np.testing.assert_array_equal(read(file.getvalue()).pixels, read(make_dicom(pixels)).pixels)


@pytest.mark.parametrize(
    ("policy", "elements"),
    [
        ("for_processing", {"PresentationIntentType": "FOR PROCESSING"}),
        ("secondary_capture", {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}),
        ("burned_in", {"BurnedInAnnotation": "YES"}),
    ],
)
def test_what_a_policy_lets_in_is_said_and_what_it_leaves_out_is_skipped(make_dicom, policy, elements):
    data = make_dicom(RAMP, **elements)
    assert len(read(data).notes) == 2
    with pytest.raises(ImageError) as skipped:
        read_images(data, policy=ReadPolicy(**{policy: "skip"}))
    assert skipped.value.reason is SkipReason.POLICY
    assert policy in skipped.value.detail


def code(value: str) -> list[Dataset]:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", "free text"
    return [item]


@pytest.mark.parametrize(
    ("elements", "side", "view"),
    [
        ({}, None, None),
        ({"ImageLaterality": "R", "ViewPosition": "MLO"}, "R", "MLO"),
        ({"Laterality": "L", "ViewCodeSequence": code("399162004")}, "L", "CC"),
        ({"ViewCodeSequence": code("R-1024A")}, None, "XCCL"),
        ({"Laterality": "R", "PatientOrientation": "MLO"}, "R", "MLO"),
        ({"PatientOrientation": ["P", "L"]}, None, "CC"),
        ({"ImageLaterality": "B", "ViewPosition": "JANE DOE"}, None, None),
    ],
)
def test_side_and_view_come_from_where_they_are_said(make_dicom, elements, side, view):
    info = read(make_dicom(RAMP, **elements)).info
    assert (info.side, info.view) == (side, view)


def test_conflicts_of_side_and_view_are_said(make_dicom):
    image = read(
        make_dicom(
            RAMP, ImageLaterality="R", Laterality="L", ViewPosition="CC", ViewCodeSequence=code("399368009")
        )
    )
    assert (image.info.side, image.info.view) == ("R", "CC")
    assert "side conflict: image laterality R, laterality L; the first taken" in image.notes
    assert "view conflict: view position CC, view code MLO; the first taken" in image.notes


def test_identifiers_are_hashed_with_the_key_and_absent_without(make_dicom):
    data = make_dicom(RAMP)
    assert read(data).info.patient is None
    with_a, again, with_b = (read_images(data, hash_key=key)[0].info for key in (b"a", b"a", b"b"))
    assert with_a == again
    assert len(with_a.patient) == 32
    hashes = {
        getattr(info, name)
        for info in (with_a, with_b)
        for name in ("patient", "study", "series", "instance")
    }
    assert len(hashes) == 8


@pytest.mark.parametrize("key", [b"", b"k" * 65])
def test_a_key_of_the_wrong_length_is_the_callers_error(make_dicom, key):
    with pytest.raises(ValueError, match="hash_key"):
        read_images(make_dicom(RAMP), hash_key=key)


def test_metadata_is_flat_and_without_unknowns_and_hashes_but_the_study(make_dicom):
    data = make_dicom(
        RAMP, PatientAge="045Y", PatientSex="F", BodyPartExamined="BREAST", ImagerPixelSpacing=[0.05, 0.05]
    )
    info = read_images(data, hash_key=b"k")[0].info
    metadata = info.metadata()
    assert metadata["age_years"] == 45
    assert metadata["pixel_spacing_mm"] == 0.05
    assert (metadata["sex"], metadata["body_part"], metadata["modality"]) == ("F", "BREAST", "MG")
    assert not {"patient", "series", "instance", "side"} & set(metadata)
    assert metadata["study"] == info.study
    assert len(info.study) == 32
    assert "study" not in read(data).info.metadata()


def test_the_size_is_checked_before_decoding_and_names_the_setting(make_dicom):
    data = make_dicom(RAMP, Rows=60000, Columns=60000)
    with pytest.raises(ImageError) as skipped:
        read_images(data, limits=DecodeLimits(max_pixel_mb=64))
    assert skipped.value.reason is SkipReason.TOO_LARGE
    assert "max_pixel_mb" in skipped.value.detail
