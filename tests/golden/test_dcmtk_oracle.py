"""DCMTK renders the same files: an independent reading of the standard (Debian: dcmtk)."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest

from cbir.errors import ImageError
from cbir.images.reader import read_images
from cbir.images.settings import ReadSpec

JPEG_LS = {"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"}
MIN_COMPARED = {"wheel": 80, "pydicom-data": 48}

# DCMTK differs for a reason of its own: the most that it does, and why.
DIFFERENT = {
    "rtdose_expb.dcm": (
        255,
        "DCMTK swaps 32-bit big-endian samples as pairs of words; ours equal rtdose.dcm",
    ),
    "rtdose_expb_1frame.dcm": (255, "likewise; ours equal rtdose_1frame.dcm"),
    "SC_ybr_full_uncompressed.dcm": (
        2,
        "DCMTK cuts each chroma term of the YBR conversion to a whole number",
    ),
}


def folders() -> dict[str, Path | None]:
    wheel = Path(pydicom.__file__).parent / "data" / "test_files"
    try:
        import data_store
    except ImportError:
        return {"wheel": wheel, "pydicom-data": None}
    return {"wheel": wheel, "pydicom-data": Path(data_store.__file__).parent / "data"}


def test_files(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.suffix == ".dcm" or path.name.isdecimal())
    return sorted(path for path in found if path.is_file())


test_files.__test__ = False


def same_window(path: Path) -> list[str]:
    """DCMTK's options for what ReadSpec() means; a window of a functional group is spelt out for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path, force=True, stop_before_pixels=True)
    shared = dataset.get("SharedFunctionalGroupsSequence", [{}])[0]
    if "FrameVOILUTSequence" in shared:
        window = shared.FrameVOILUTSequence[0]
        return ["+Ww", str(window.WindowCenter), str(window.WindowWidth)]
    if "VOILUTSequence" in dataset:
        return ["+Wl", "1"]
    return ["+Wi", "1"] if dataset.get("WindowCenter") is not None else ["+Wm"]


def read_pnm(path: Path) -> np.ndarray:
    magic, size, _white, pixels = path.read_bytes().split(b"\n", 3)
    width, height = map(int, size.split())
    shape = (height, width) if magic == b"P5" else (height, width, 3)
    return np.frombuffer(pixels, np.uint8).reshape(shape)


@pytest.mark.parametrize("source", ["wheel", "pydicom-data"])
def test_every_file_that_dcmtk_renders_looks_the_same_within_one_grey_level(source, tmp_path):
    folder = folders()[source]
    if folder is None:
        pytest.skip("pydicom-data is not installed")
    if shutil.which("dcmj2pnm") is None or shutil.which("dcml2pnm") is None:
        pytest.skip("dcmj2pnm and dcml2pnm (Debian package dcmtk) are not installed")
    compared: dict[str, float] = {}
    for path in test_files(folder):
        try:
            (image,) = read_images(path.read_bytes(), ReadSpec(frames="middle"))
        except ImageError:
            continue
        program = "dcml2pnm" if image.info.transfer_syntax_uid in JPEG_LS else "dcmj2pnm"
        window = same_window(path) if image.pixels.ndim == 2 else []
        bitmap = tmp_path / "rendered.pnm"
        options = ["-O", *window, "+F", str(image.frame + 1), "+op"]
        done = subprocess.run([program, *options, path, bitmap], capture_output=True, check=False)
        if done.returncode != 0:  # JPEG 2000 and 32-bit colours are beyond DCMTK's free tools
            continue
        ours = np.rint(image.pixels * (255 / image.white))
        theirs = read_pnm(bitmap).astype(float)
        assert ours.shape == theirs.shape, path.name
        compared[str(path.relative_to(folder))] = np.abs(ours - theirs).max()
    print(f"{len(compared)} files compared:", *compared)
    worse = {
        name: most for name, most in compared.items() if most > DIFFERENT.get(Path(name).name, (1, ""))[0]
    }
    assert worse == {}
    assert len(compared) >= MIN_COMPARED[source]


@pytest.mark.parametrize("name", ["rtdose_expb.dcm", "rtdose_expb_1frame.dcm"])
def test_big_endian_dose_equals_its_little_endian_twin_where_dcmtk_differs(name):
    folder = folders()["wheel"]
    (big,) = read_images((folder / name).read_bytes())
    (little,) = read_images((folder / name.replace("_expb", "")).read_bytes())
    np.testing.assert_array_equal(big.pixels, little.pixels)
