"""``cbir search img.png`` as a new process against the plain script's one-shot search."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.build import CBIR, HERE, MODELS, build_both
from tests.benchmarks.ratio import Ratio, run, take_turns


def measure(shared: Path, rounds: int) -> Iterator[Ratio]:
    """Over mini-MIAS, 322 mammograms; both have their index and their network's weights on disk."""
    images = shared / "data" / "mini_mias" / "images"
    image = images / "mdb001.png"
    for preset, goal in (("quick", ">= 8"), ("densenet121", "")):
        model, weights = MODELS[preset]
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            build_both(preset, shared, images, folder)
            times = take_turns(
                lambda folder=folder: run(
                    CBIR, "search", image, "-k", 10, "-i", folder / "ours.index", "--json"
                ),
                lambda folder=folder, model=model, weights=weights: run(
                    sys.executable,
                    HERE / "plain_search.py",
                    image,
                    folder / "plain",
                    "-k",
                    10,
                    "--model",
                    model,
                    "--weights",
                    shared / weights,
                ),
                max(rounds, 5),
            )
        yield Ratio(f"cold search, {preset}", *times, goal)
