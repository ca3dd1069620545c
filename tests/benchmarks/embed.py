"""What of a build is the network: against the bare engine, and five views against one."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from tests.benchmarks.build import MODELS, gather, ours
from tests.benchmarks.ratio import Ratio, run, take_turns

SETS = ("mini_mias", "breakhis_78", "idc_2patients")


def measure(shared: Path, rounds: int) -> Iterator[Ratio]:
    """1,309 real images of 1,024, 224 and 50 px; five views for the 400 larger ones."""
    for preset in MODELS:
        yield against_engine(preset, shared, rounds)
        yield five_views(preset, shared, rounds)


def against_engine(preset: str, shared: Path, rounds: int) -> Ratio:
    """The bare engine gets as many ready tensors, in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = gather(shared, SETS, folder / "images")
        n_images = len(list(images.iterdir()))
        build = partial(ours, preset, shared, images, folder)
        build()  # fills the cache of exported networks; not counted
        words = (sys.executable, "-m", "tests.benchmarks.embed", folder / "ours.index", n_images)
        engine_s = [float(run(*words)) for _ in range(rounds)]
        build_s, _ = take_turns(build, lambda: None, rounds)
    return Ratio(f"build, {preset}, {n_images} images", build_s, engine_s, ">= 0.8", "of the engine's rate")


def five_views(preset: str, shared: Path, rounds: int) -> Ratio:
    """A build with test-time augmentation against one without."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        images = gather(shared, SETS[:2], folder / "images")
        builds = [partial(ours, preset, shared, images, folder, tta=tta) for tta in (False, True)]
        for build in builds:
            build()
        one, five = take_turns(*builds, rounds)
    return Ratio(f"five views, {preset}", one, five, "<= 5", "times one view")


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
