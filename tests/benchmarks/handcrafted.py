"""The handcrafted descriptors against scikit-image, mahotas and a plain FFT GIST, on mammograms."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from cbir.extractors.handcrafted import DESCRIPTORS
from tests.benchmarks.ratio import Ratio, take_turns
from tests.extractors.handcrafted.conftest import REFERENCES

BLOCK = ("gist", "hog", "lbp")
GOALS = {BLOCK: ">= 8"}
N_IMAGES = 4


def measure(shared: Path, rounds: int) -> Iterator[Ratio]:
    """The block of METHODS, then each descriptor; images resized before, OpenCV with one thread."""
    paths = sorted((shared / "data" / "mini_mias" / "images").iterdir())[:: 322 // N_IMAGES][:N_IMAGES]
    images = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in paths]
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        for names in (BLOCK, *((name,) for name in DESCRIPTORS)):
            yield compare(names, images, rounds)
    finally:
        cv2.setNumThreads(threads)


def compare(names: tuple[str, ...], images: list[np.ndarray], rounds: int) -> Ratio:
    descriptors = [DESCRIPTORS[name]() for name in names]
    sized = [
        [cv2.resize(image, each.input_px[::-1], interpolation=cv2.INTER_AREA) for image in images]
        for each in descriptors
    ]

    def ours() -> list[np.ndarray]:
        return [each.describe(grey) for each, greys in zip(descriptors, sized, strict=True) for grey in greys]

    def theirs() -> list[np.ndarray]:
        return [REFERENCES[name](grey) for name, greys in zip(names, sized, strict=True) for grey in greys]

    apart = max(float(np.abs(a - b).max()) for a, b in zip(ours(), theirs(), strict=True))
    gc.collect()
    times = ([seconds / len(images) for seconds in each] for each in take_turns(ours, theirs, max(rounds, 9)))
    ours_s, theirs_s = times
    return Ratio(
        f"{' + '.join(names)}, an image", ours_s, theirs_s, GOALS.get(names, ""), f"apart {apart:.0e} at most"
    )
