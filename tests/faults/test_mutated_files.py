"""Files damaged at random, by seed: the main process lives, no limit is passed, every file gets an answer.

Replay with CBIR_FUZZ_SEED; CBIR_FUZZ_N changes how many. Case i of a seed is always the same file.
"""

from __future__ import annotations

import io
import os
import random
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import psutil
import pytest
import tifffile
from PIL import Image as PillowImage
from pydicom.data import get_testdata_file

from cbir.errors import ImageError
from cbir.images.pool import DecodePool
from cbir.images.settings import DecodeLimits, ReadSpec
from cbir.images.steps import Normalise, Resize

SEED = int(os.environ.get("CBIR_FUZZ_SEED", "1"))
LIMITS = DecodeLimits(timeout_s=5.0, memory_mb=768, max_pixel_mb=128)
SLACK_S = 20.0  # to start another worker on a busy machine
MAX_RESIDENT_BYTES = 1024**3

DICOM_FILES = [
    "CT_small.dcm", "693_J2KI.dcm", "J2K_pixelrep_mismatch.dcm", "MR_small_RLE.dcm", "SC_rgb_rle.dcm",
    "SC_rgb_rle_2frame.dcm", "JPGExtended.dcm", "SC_rgb_jpeg_gdcm.dcm", "MR_small_jpeg_ls_lossless.dcm",
    "JPEG2000.dcm", "MR_small_bigendian.dcm", "ExplVR_BigEnd.dcm", "examples_palette.dcm",
    "liver_1frame.dcm", "rtdose.dcm", "examples_ybr_color.dcm", "MR_truncated.dcm",
    "MR_small_padded.dcm", "no_meta.dcm", "JPEG-lossy.dcm", "badVR.dcm", "image_dfl.dcm", "priv_SQ.dcm",
    "rtplan.dcm", "MR_small.dcm", "SC_rgb_small_odd.dcm", "SC_ybr_full_422_uncompressed.dcm",
    "SC_rgb_dcmtk_+eb+cy+np.dcm",
]  # fmt: skip
MAX_SEED_FILE_BYTES = 400_000


def dicom_files() -> dict[str, bytes]:
    paths = {name: get_testdata_file(name, download=False) for name in DICOM_FILES}
    files = {name: Path(path).read_bytes() for name, path in paths.items() if path is not None}
    return {name: data for name, data in files.items() if len(data) <= MAX_SEED_FILE_BYTES}


def raster_files() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    grey = cv2.GaussianBlur(rng.integers(0, 256, (90, 70), dtype=np.uint8), (5, 5), 0)
    colour = np.dstack([grey, grey[::-1], 255 - grey])
    deep = grey.astype(np.uint16) * 257
    files = {
        "grey.png": imagecodecs.png_encode(grey),
        "colour.png": imagecodecs.png_encode(colour),
        "deep.png": imagecodecs.png_encode(deep),
        "deep_colour.png": imagecodecs.png_encode(colour.astype(np.uint16) * 257),
    }
    pictures = {"grey": PillowImage.fromarray(grey), "colour": PillowImage.fromarray(colour)}
    pictures["palette"] = pictures["colour"].quantize(16)
    pictures["cmyk"] = pictures["colour"].convert("CMYK")
    for name, format_, options in [
        ("palette", "PNG", {"transparency": 3}),
        ("grey", "JPEG", {}),
        ("colour", "JPEG", {"progressive": True}),
        ("colour", "JPEG", {"quality": 95, "subsampling": 2}),
        ("cmyk", "JPEG", {}),
        ("colour", "TIFF", {"compression": "jpeg"}),
        ("grey", "TIFF", {"compression": "packbits"}),
        ("colour", "WEBP", {}),
        ("palette", "GIF", {}),
        ("palette", "BMP", {}),
    ]:
        buffer = io.BytesIO()
        pictures[name].save(buffer, format_, **options)
        files[f"{name}{len(files)}.{format_.lower()}"] = buffer.getvalue()
    for name, pixels, options in [
        ("deep", deep, {}),
        ("deflated", colour, {"compression": "zlib", "predictor": True}),
        ("tiled", deep, {"tile": (32, 32), "compression": "lzw"}),
        ("float", grey.astype(np.float32) / 255, {}),
        ("pages", np.stack([grey, grey, grey]), {"photometric": "minisblack"}),
        ("big", grey, {"bigtiff": True}),
    ]:
        buffer = io.BytesIO()
        tifffile.imwrite(buffer, pixels, **options)
        files[f"{name}.tiff"] = buffer.getvalue()
    return files


def flip_bits(data: bytearray, rng: random.Random, _others: list[bytes]) -> bytearray:
    reach = rng.choice([64, 512, 4096, len(data)])
    for _ in range(rng.choice([1, 4, 32])):
        data[rng.randrange(min(reach, len(data)))] ^= 1 << rng.randrange(8)
    return data


def truncate(data: bytearray, rng: random.Random, _others: list[bytes]) -> bytearray:
    return data[: rng.randrange(len(data))]


def blow_up_a_field(data: bytearray, rng: random.Random, _others: list[bytes]) -> bytearray:
    """Put an extreme number somewhere in the header, or where the format keeps its sizes."""
    marks = [
        (b"IHDR", 4), (b"IHDR", 8),
        (b"\xff\xc0", 5), (b"\xff\xc0", 7), (b"\xff\xc2", 5), (b"\xff\xc2", 7),
        (b"(\0\x10\0", 8), (b"(\0\x11\0", 8), (b"(\0\x08\0", 8), (b"(\0\x00\x01", 8), (b"(\0\x02\0", 8),
        (b"\xe0\x7f\x10\0", 8), (b"\xfe\xff\0\xe0", 4), (b"\xff\x51", 8), (b"\xff\xf7", 5),
    ]  # fmt: skip
    places = [data.find(mark) + offset for mark, offset in marks if data.find(mark) >= 0]
    at = rng.choice(places) if places and rng.random() < 0.7 else rng.randrange(min(1024, len(data)))
    ones = [b"\xff" * 2, b"\xff" * 4, b"\xff" * 8, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f"]
    value = rng.choice([*ones, b"\0\0\0\0", b"\0\0\x80\0", b"\0\x80"])
    data[at : at + len(value)] = value
    return data


def swap_chunks(data: bytearray, rng: random.Random, _others: list[bytes]) -> bytearray:
    size = rng.choice([1, 2, 4, 16, 64, 512])
    a, b = rng.randrange(len(data)), rng.randrange(len(data))
    first, second = bytes(data[a : a + size]), bytes(data[b : b + size])
    data[a : a + size] = second
    data[b : b + size] = first
    return data


def repeat_or_drop_a_chunk(data: bytearray, rng: random.Random, _others: list[bytes]) -> bytearray:
    at, size = rng.randrange(len(data)), rng.choice([1, 2, 8, 100, 3000])
    return data[:at] + data[at : at + size] * rng.choice([0, 2, 50]) + data[at + size :]


def splice(data: bytearray, rng: random.Random, others: list[bytes]) -> bytearray:
    other = rng.choice(others)
    return data[: rng.randrange(len(data))] + other[rng.randrange(len(other)) :]


def repair_png(data: bytearray) -> bytearray:
    """Make the checksums right again, so that the damage reaches the decoder."""
    at = 8
    while at + 12 <= len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        end = at + 8 + size
        if end + 4 > len(data):
            break
        data[end : end + 4] = struct.pack(">I", zlib.crc32(data[at + 4 : end]))
        at = end + 4
    return data


MUTATIONS: list[Callable[[bytearray, random.Random, list[bytes]], bytearray]] = [
    flip_bits, truncate, blow_up_a_field, swap_chunks, repeat_or_drop_a_chunk, splice,
]  # fmt: skip


def mutated(files: dict[str, bytes], case: int) -> tuple[str, bytes]:
    rng = random.Random(f"{SEED}:{case}")
    name = rng.choice(sorted(files))
    data = bytearray(files[name])
    others = list(files.values())
    names = []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        mutate = rng.choice(MUTATIONS)
        names.append(mutate.__name__)
        data = mutate(data, rng, others) or bytearray(b"\0")
    if name.endswith(".png") and rng.random() < 0.9:
        data = repair_png(data)
    return f"case {case} of seed {SEED}: {name}, {' + '.join(names)}", bytes(data)


class Watch(threading.Thread):
    """Keeps the most memory that any worker ever held."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self.over = threading.Event()

    def run(self) -> None:
        me = psutil.Process()
        while not self.over.wait(0.05):
            for child in me.children():
                self.peak_bytes = max(self.peak_bytes, high_water_bytes(child.pid))


def high_water_bytes(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(lines[0].split()[1]) * 1024 if lines else 0


def decode_mutated_files(n_files: int, spec: ReadSpec) -> str:
    """Decode them all; fails with the cases that went wrong, else gives the count of each outcome."""
    files = dicom_files() | raster_files()
    steps = (Resize(32, 32), Normalise((0.5,) * 3, (0.5,) * 3))
    outcomes: Counter[str] = Counter()
    wrong: list[str] = []
    notable: list[str] = []
    watch = Watch()

    def decode(case: int) -> None:
        name, data = mutated(files, case)
        began = time.monotonic()
        try:
            frames = pool.decode(data)
            outcome = "decoded"
            if not frames or not all(np.isfinite(frame.prepared[0]).all() for frame in frames):
                wrong.append(f"{name}: no frames, or numbers that are not finite")
        except ImageError as error:
            outcome = str(error.reason)
            if outcome.startswith("decoder_"):
                notable.append(f"{name}: {error}")
        except Exception as error:  # noqa: BLE001 - anything else is what we look for
            outcome = "wrong"
            wrong.append(f"{name}: {error!r}")
        outcomes[outcome] += 1
        if time.monotonic() - began > LIMITS.timeout_s + SLACK_S:
            wrong.append(f"{name}: {time.monotonic() - began:.1f} s")

    watch.start()
    pool = DecodePool(spec, [steps], limits=LIMITS, n_workers=2, hash_key=b"key")
    with pool, ThreadPoolExecutor(2) as threads:
        list(threads.map(decode, range(n_files)))
    watch.over.set()
    watch.join()
    assert not wrong, "\n".join(wrong)
    assert sum(outcomes.values()) == n_files
    assert watch.peak_bytes <= MAX_RESIDENT_BYTES
    counts = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
    peak = f"a worker held {watch.peak_bytes / 2**20:.0f} MiB at most"
    return "\n  ".join([f"{n_files} mutated files, seed {SEED}: {counts}; {peak}", *sorted(notable)])


def test_the_undamaged_files_are_mostly_images():
    """Otherwise the damage would be done to files that are refused anyway."""
    files = dicom_files() | raster_files()
    assert len(files) >= 40
    steps = (Resize(32, 32), Normalise((0.5,) * 3, (0.5,) * 3))
    refused = []
    with DecodePool(ReadSpec(), [steps], limits=LIMITS, n_workers=2) as pool:
        for name, data in files.items():
            try:
                pool.decode(data)
            except ImageError as error:
                refused.append(f"{name}: {error}")
    assert len(refused) <= 5, "\n".join(refused)


def test_mutated_files_are_decoded_or_refused_and_nothing_else_happens(capsys):
    n_files = int(os.environ.get("CBIR_FUZZ_N", "2000"))
    summary = decode_mutated_files(n_files, ReadSpec(frames="all"))
    with capsys.disabled():
        print(f"\n{summary}")


@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
def test_many_more_mutated_files(capsys):
    summary = decode_mutated_files(int(os.environ.get("CBIR_FUZZ_N", "50000")), ReadSpec())
    with capsys.disabled():
        print(f"\n{summary}")
