"""Damaged and hostile bytes: an ImageError each, and nothing else."""

from __future__ import annotations

import random
import zlib
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image as Pillow
from pydicom.data import get_testdata_file
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEGLosslessSV1

from cbir.errors import ImageError, SkipReason
from cbir.images.reader import FORMATS, read_images
from cbir.images.settings import DecodeLimits, ReadSpec

RAMP = np.arange(48 * 40, dtype=np.uint16).reshape(48, 40)
MPEG2 = "1.2.840.10008.1.2.4.100"
N_MUTATIONS = 2000


def refusal(data: bytes, **limits: int) -> ImageError:
    with pytest.raises(ImageError) as skipped:
        read_images(data, limits=DecodeLimits(**limits))
    return skipped.value


def nested(depth: int) -> bytes:
    """Sequences of undefined length in one another, before the image's own elements."""
    opened = b"\x08\x00\x15\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    closed = b"\xfe\xff\x0d\xe0\x00\x00\x00\x00\xfe\xff\xdd\xe0\x00\x00\x00\x00"
    return opened * depth + closed * depth


@pytest.mark.parametrize("depth", [900, 20000])
def test_deeply_nested_sequences_are_malformed(make_dicom, depth):
    data = make_dicom(RAMP)
    at = data.index(b"\x08\x00\x18\x00UI")
    error = refusal(data[:at] + nested(depth) + data[at:])
    assert error.reason is SkipReason.MALFORMED
    assert "nested" in error.detail


def test_a_deflate_bomb_is_too_large(make_dicom):
    plain = make_dicom(RAMP, syntax=DeflatedExplicitVRLittleEndian)
    start = plain.index(b"1.2.840.10008.1.2.1.99")
    deflated_at = 132 + 12 + int.from_bytes(plain[140:144], "little")
    assert start < deflated_at
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = deflater.compress(bytes(80 << 20)) + deflater.flush()
    error = refusal(plain[:deflated_at] + bomb, max_pixel_mb=8)
    assert error.reason is SkipReason.TOO_LARGE
    assert "max_pixel_mb" in error.detail


def test_a_cut_deflated_file_is_truncated(make_dicom):
    data = make_dicom(RAMP, syntax=DeflatedExplicitVRLittleEndian)
    assert refusal(data[:-200]).reason is SkipReason.TRUNCATED


def test_a_codestream_larger_than_the_header_declares_is_refused_before_decoding(make_dicom):
    stream = imagecodecs.jpeg8_encode(RAMP, lossless=True)
    size = (48).to_bytes(2, "big") + (40).to_bytes(2, "big")
    hostile = stream.replace(size, (65000).to_bytes(2, "big") * 2)
    error = refusal(make_dicom(RAMP, syntax=JPEGLosslessSV1, frames=[hostile]))
    assert error.reason is SkipReason.TOO_LARGE
    assert "codestream" in error.detail
    assert "max_pixel_mb" in error.detail


def test_a_codestream_of_another_size_than_declared_is_malformed(make_dicom):
    stream = imagecodecs.jpeg8_encode(np.ascontiguousarray(RAMP[:20]), lossless=True)
    error = refusal(make_dicom(RAMP, syntax=JPEGLosslessSV1, frames=[stream]))
    assert error.reason is SkipReason.MALFORMED


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.95])
def test_a_cut_frame_is_truncated(make_dicom, keep):
    stream = imagecodecs.jpeg8_encode(RAMP, lossless=True)
    data = make_dicom(RAMP, syntax=JPEGLosslessSV1, frames=[stream[: int(len(stream) * keep)]])
    assert refusal(data).reason is SkipReason.TRUNCATED


@pytest.mark.parametrize("keep", [0.5, 0.9])
def test_a_cut_native_file_is_truncated(make_dicom, keep):
    data = make_dicom(RAMP)
    assert refusal(data[: int(len(data) * keep)]).reason is SkipReason.TRUNCATED


def test_more_frames_declared_than_there_are_is_truncated(make_dicom):
    assert refusal(make_dicom(RAMP, NumberOfFrames=900)).reason is SkipReason.TRUNCATED


@pytest.mark.parametrize(
    ("syntax", "named"),
    [(MPEG2, f"{MPEG2} (MPEG2"), ("1.2.3.4.5", "private or unknown")],
)
def test_a_missing_codec_names_the_transfer_syntax_of_the_standard(make_dicom, syntax, named):
    data = make_dicom(RAMP, syntax=MPEG2, frames=[b"\x00\x00\x01\xb3"])
    error = refusal(data.replace(MPEG2.encode(), syntax.encode().ljust(len(MPEG2), b"\x00")))
    assert error.reason is SkipReason.MISSING_CODEC
    assert named in error.detail


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"BitsAllocated": 12}, SkipReason.UNSUPPORTED),
        ({"BitsStored": 40}, SkipReason.MALFORMED),
        ({"SamplesPerPixel": 4}, SkipReason.UNSUPPORTED),
        ({"Rows": 0}, SkipReason.MALFORMED),
        ({"PixelData": b""}, SkipReason.TRUNCATED),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, SkipReason.MALFORMED),
    ],
)
def test_an_impossible_layout_is_refused(make_dicom, elements, reason):
    assert refusal(make_dicom(RAMP, **elements)).reason is reason


def test_whatever_a_decoder_raises_becomes_an_image_error(monkeypatch):
    class PanicException(BaseException):  # as decoders written in Rust raise
        pass

    def panicking(*_):
        raise PanicException("Jane Doe")

    monkeypatch.setitem(FORMATS, "gif", panicking)
    error = refusal(b"GIF89a")
    assert str(error) == "malformed: the decoder failed with PanicException"
    assert error.__context__ is None


def test_running_out_of_memory_is_too_large_and_names_the_setting(monkeypatch):
    def greedy(*_):
        raise MemoryError

    monkeypatch.setitem(FORMATS, "gif", greedy)
    error = refusal(b"GIF89a")
    assert error.reason is SkipReason.TOO_LARGE
    assert "--memory-mb" in error.detail


def seeds() -> list[bytes]:
    names = "CT_small MR_small_RLE JPEG2000 JPGExtended SC_rgb_jpeg_gdcm MR_small_jpeg_ls_lossless rtdose"
    found = [Path(get_testdata_file(f"{name}.dcm", download=False)).read_bytes() for name in names.split()]
    picture = Pillow.fromarray(np.dstack([RAMP.astype(np.uint8)] * 3))
    for name in ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF"):
        file = BytesIO()
        picture.save(file, name)
        found.append(file.getvalue())
    return [*found, imagecodecs.tiff_encode(RAMP, compression="deflate"), imagecodecs.png_encode(RAMP)]


def mutated(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice([1, 3, 10, 50])):
        where = rng.randrange(min(len(changed), rng.choice([400, 2000, len(changed)])))
        match rng.randrange(10):
            case 0:
                changed[where:where] = rng.randbytes(rng.randrange(1, 9))
            case 1 if len(changed) > 400:
                del changed[rng.randrange(len(changed) // 2, len(changed)) :]
            case _:
                changed[where] = rng.randrange(256)
    return bytes(changed)


def test_mutated_files_give_images_or_image_errors():
    rng, files = random.Random(2), seeds()
    n_read = 0
    for number in range(N_MUTATIONS):
        data = mutated(files[number % len(files)], rng)
        try:
            images = read_images(data, ReadSpec(frames="first"), limits=DecodeLimits(max_pixel_mb=64))
        except ImageError:
            continue
        n_read += 1
        for image in images:
            assert image.pixels.min() >= 0
            assert image.pixels.max() <= image.white
            assert image.pixels.shape[:2] == (image.info.height, image.info.width)
    print(f"{N_MUTATIONS} mutations, {n_read} read")
    assert 100 < n_read < N_MUTATIONS
