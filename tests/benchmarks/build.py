"""``cbir index build`` against a plain timm + DataLoader + faiss script, over the same real images."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from indexer.index import Index
from tests.benchmarks.ratio import Ratio, run, take_turns

HERE = Path(__file__).parent
CBIR = Path(sys.executable).parent / "cbir"
MODELS = {
    "quick": ("tf_efficientnet_lite0", "weights/tf_efficientnet_lite0.fp16.safetensors"),
    "densenet121": ("densenet121", "weights/densenet121.fp16.safetensors"),
}
RUNS = (
    ("quick", ("mini_mias", "breakhis_78", "idc_2patients"), ">= 5"),
    ("densenet121", ("mini_mias", "breakhis_78"), ""),
)
"""Preset, data sets, goal. The network of densenet121 is slow enough for both to do with fewer images."""


def measure(shared: Path, rounds: int) -> Iterator[Ratio]:
    """322 mammograms of 1024 px, 78 and 909 histology patches of 224 and 50 px."""
    for preset, sets, goal in RUNS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            images = gather(shared, sets, folder / "images")
            build_both(preset, shared, images, folder)  # fills our cache of exported networks; not counted
            agreement = compare(folder)
            times = take_turns(
                lambda folder=folder, images=images, preset=preset: ours(preset, shared, images, folder),
                lambda folder=folder, images=images, preset=preset: plain(preset, shared, images, folder),
                rounds,
            )
            n_images = len(list(images.iterdir()))
        yield Ratio(f"build, {preset}, {n_images} images", *times, goal, agreement)


def gather(shared: Path, sets: Sequence[str], target: Path) -> Path:
    """Copies of real images in one folder."""
    target.mkdir()
    for name in sets:
        for path in (shared / "data" / name / "images").iterdir():
            shutil.copyfile(path, target / f"{name}_{path.name}")
    return target


def build_both(preset: str, shared: Path, images: Path, folder: Path) -> None:
    """``ours.index`` and ``plain/`` in ``folder``."""
    ours(preset, shared, images, folder)
    plain(preset, shared, images, folder)


def ours(preset: str, shared: Path, images: Path, folder: Path, *, tta: bool = False) -> None:
    index = folder / "ours.index"
    shutil.rmtree(index, ignore_errors=True)
    words = ["--extractor", preset, "--weights", shared / MODELS[preset][1], *(["--tta"] if tta else [])]
    run(CBIR, "index", "build", images, "-o", index, *words)


def plain(preset: str, shared: Path, images: Path, folder: Path) -> None:
    model, weights = MODELS[preset]
    run(
        sys.executable,
        HERE / "plain_build.py",
        images,
        folder / "plain",
        "--model",
        model,
        "--weights",
        shared / weights,
    )


def compare(folder: Path) -> str:
    """How alike our embeddings and the plain script's are, image by image."""
    names = json.loads((folder / "plain" / "paths.json").read_text())
    rows = np.load(folder / "plain" / "embeddings.npy")
    theirs = {Path(name).name: row for name, row in zip(names, rows, strict=True)}
    with Index.open(folder / "ours.index") as index:
        cosines = [
            float(index.query(item.id).embedding @ theirs[Path(item.path).name]) for item in index.items()
        ]
    if len(cosines) != len(theirs):
        raise RuntimeError(f"{len(cosines)} of our images against {len(theirs)} of theirs")
    alike = sum(cosine >= 0.99 for cosine in cosines)
    return f"cosine >= 0.99 for {alike} of {len(cosines)} images, least {min(cosines):.4f}"
