"""What of a build is the network: against the bare engine, and five views against one."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.benchmarks.build import MODELS, gather, ours
from tests.benchmarks.ratio import Ratio, run, take_turns

SETS = ("mini_mias", "breakhis_78")
HERE = Path(__file__).parent


def measure(shared: Path, rounds: int) -> Iterator[Ratio]:
    """400 real images of 1,024 and 224 px; the bare engine gets as many ready tensors, in its own process."""
    for preset in MODELS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            images = gather(shared, SETS, folder / "images")
            n_images = len(list(images.iterdir()))
            for tta in (False, True):  # fills the cache of exported networks; not counted
                ours(preset, shared, images, folder, tta=tta)
            engine = [
                float(run(sys.executable, "-m", "tests.benchmarks.embed", folder / "ours.index", n_images))
                for _ in range(rounds)
            ]
            one, five = take_turns(
                lambda preset=preset, images=images, folder=folder: ours(preset, shared, images, folder),
                lambda preset=preset, images=images, folder=folder: ours(
                    preset, shared, images, folder, tta=True
                ),
                rounds,
            )
        yield Ratio(f"build, {preset}, {n_images} images", one, engine, ">= 0.8", "of the bare engine's rate")
        yield Ratio(f"five views, {preset}", one, five, "<= 5", "times one view")


def bare(index: Path, n_images: int) -> float:
    """Seconds of the forward pass alone, over ready tensors, the network warm."""
    from cbir.runtime.openvino import OpenVinoNetwork

    spec = json.loads((index / "manifest.json").read_text())["spec"]
    (resize,) = (step for step in spec["branches"][0]["preprocess"] if step["step"] == "resize")
    network = OpenVinoNetwork(index / "model" / "branch0.onnx")
    shape = (32, 3, resize["height_px"], resize["width_px"])
    batch = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    network(batch)
    started = time.perf_counter()
    for first in range(0, n_images, len(batch)):
        network(batch[: n_images - first])
    return time.perf_counter() - started


if __name__ == "__main__":
    print(bare(Path(sys.argv[1]), int(sys.argv[2])))
