"""Makes a golden index with whatever version of cbir is imported; see README.md beside it.

usage: python make_index.py FOLDER ARCHIVE

Beside ARCHIVE.tar.gz it writes ARCHIVE.json: what that version found for three of the images.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

EXTRACTOR = """
name = "golden"

[[branch]]
backbone = "handcrafted:lbp"
dim = 54
preprocess = [
    { step = "resize", height_px = 64, width_px = 64, fit = "stretch", interpolation = "area" },
    { step = "grey" },
]
"""
TILES = """
[tiles]
across = 2
crop_breast = false
min_content = 0.0
keep = "parts"
"""
"""What a version that knows parts is asked for, besides."""
LABELS = """path,label,patient_id,view,age,fatty
images/one.png,benign,p1,CC,51,true
images/two.png,malignant,p1,MLO,51,false
images/café.png,benign,p2,CC,,
images/copy of one.png,benign,p3,CC,62.5,true
images/later.png,,p4,,,
"""
ASKED = ("one.png", "case.dcm", "later.png")
SIDE_PX = 40
EPOCH_S = 1_700_000_000


def main(folder: Path, archive: Path) -> None:
    """Build, remove, update: what a user does, in two generations and more."""
    images, index = folder / "images", folder / "golden.index"
    images.mkdir(parents=True)
    knows_parts = find_spec("indexer.storage.schema") is not None
    (folder / "golden.toml").write_text(EXTRACTOR + TILES * knows_parts, encoding="ascii")
    (folder / "labels.csv").write_text(LABELS, encoding="utf-8")
    for number, name in enumerate(("one.png", "two.png", "café.png", "gone.png")):
        picture(number).save(images / name)
    shutil.copyfile(images / "one.png", images / "copy of one.png")
    picture(10).save(images / "pages.tiff", save_all=True, append_images=[picture(11)])
    for name in ("case.dcm", "case again.dcm"):  # the same instance and pixels, other bytes
        case(name).save_as(images / name, enforce_file_format=True)
    (images / "notes.txt").write_text("not an image", encoding="ascii")
    settle(images)
    words = ("--extractor", folder / "golden.toml", "--labels", folder / "labels.csv", "--frames", "all")
    cbir(3, "index", "build", images, "-o", index, *words)
    cbir(0, "index", "remove", images / "gone.png", "-i", index)
    (images / "gone.png").unlink()
    picture(20).save(images / "later.png")
    settle(images)
    cbir(3, "index", "update", "-i", index)
    cbir(0, "index", "verify", "-i", index)
    answers = [cbir(0, "search", images / name, "-i", index, "-k", 9, "--json") for name in ASKED]
    said = {name: json.loads(answer)["hits"] for name, answer in zip(ASKED, answers, strict=True)}
    archive.with_name(archive.name.split(".")[0] + ".json").write_text(json.dumps(said, indent=1) + "\n")
    pack(index, archive)


def picture(seed: int) -> Image.Image:
    """Soft noise of few greys, so that it compresses well."""
    coarse = np.random.default_rng(seed).integers(0, 16, (5, 5), dtype=np.uint8) * 16
    return Image.fromarray(coarse).resize((SIDE_PX, SIDE_PX), Image.Resampling.NEAREST)


def case(description: str) -> Dataset:
    """A small DICOM image of a patient."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.1.2"
    meta.MediaStorageSOPInstanceUID = "2.25.7"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = Dataset()
    made.file_meta = meta
    made.SOPClassUID, made.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    made.StudyInstanceUID, made.SeriesInstanceUID = "2.25.5", "2.25.6"
    made.PatientID, made.PatientName, made.Modality = "patient seven", "Seven^Patient", "MG"
    made.ImageLaterality, made.ViewPosition, made.SeriesDescription = "L", "CC", description
    made.Rows = made.Columns = SIDE_PX
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit, made.PixelRepresentation = 7, 0
    made.PixelData = np.asarray(picture(7)).tobytes()
    return made


def settle(images: Path) -> None:
    """Times of modification that do not depend on when this ran."""
    for number, path in enumerate(sorted(images.iterdir())):
        os.utime(path, (EPOCH_S + number, EPOCH_S + number))


def cbir(expect: int, *words: object) -> str:
    """What a command of the version that is imported here answers; 3 means that some files were skipped."""
    environment = {**os.environ, "CBIR_PATIENT_KEY": "the key of the golden index"}
    command = [sys.executable, "-m", "cli", *(str(word) for word in words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != expect:
        raise SystemExit(f"{command}: {done.returncode}, not {expect}\n{done.stdout}{done.stderr}")
    return done.stdout


def pack(index: Path, archive: Path) -> None:
    """Everything but the lock, as it lies there."""
    with gzip.GzipFile(archive, "wb", mtime=0) as file, tarfile.open(fileobj=file, mode="w") as tar:
        for path in sorted(index.rglob("*")):
            if path.is_file() and not path.name.startswith("writer."):
                tar.add(path, path.relative_to(index.parent), filter=without_owner)


def without_owner(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """A member that says nothing about who made it."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime, member.mode = EPOCH_S, 0o644
    return member


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
