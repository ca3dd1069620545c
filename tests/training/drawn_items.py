"""Made images of three kinds, several a patient."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

KINDS = ("stripes", "checks", "blobs")


def draw(kind: str, rng: np.random.Generator) -> np.ndarray:
    """A grey picture of 64 x 64 whose kind a network can learn."""
    y, x = np.mgrid[0:64, 0:64]
    phase = rng.uniform(0, 6)
    if kind == "stripes":
        shade = np.sin(y / 2.0 + phase)
    elif kind == "checks":
        shade = np.sign(np.sin(x / 3.0 + phase) * np.sin(y / 3.0 + phase))
    else:
        shade = np.cos(x / 14.0 + phase) * np.cos(y / 14.0 - phase)
    noisy = 128 + 70 * shade + rng.normal(0, 25, (64, 64))
    return noisy.clip(0, 255).astype(np.uint8)


def write_items(folder: Path, n_groups: int = 10, n_images: int = 2, seed: int = 0) -> Path:
    """Write images and an items file: ``n_groups`` patients a kind, ``n_images`` each."""
    rng = np.random.default_rng(seed)
    rows = []
    for kind in KINDS:
        for group in range(n_groups):
            for number in range(n_images):
                name = f"{kind}{group}-{number}.png"
                Image.fromarray(draw(kind, rng)).save(folder / name)
                rows.append([name, kind, f"{kind}{group}", KINDS.index(kind)])
    with (folder / "items.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "label", "patient_id", "grade"], *rows])
    return folder / "items.csv"
