"""An index of made embeddings whose labels are known, and the command line in this process."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from typer.testing import CliRunner, Result

from cli.app import app

N_PATIENTS = 60


def cbir(*words: object, expect: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
    assert result.exit_code == expect, result.output
    return result


def make_index(folder: Path, *, seed: int = 4, spread: float = 0.6, labels: str = "known") -> Path:
    """Two images of each of sixty patients, of three kinds that lie apart; every tenth image has no kind.

    Args:
        folder: empty.
        seed: of the embeddings.
        spread: of the images of a kind.
        labels: ``known``, or ``none``.
    """
    rng = np.random.default_rng(seed)
    kinds = np.repeat(np.arange(N_PATIENTS) % 3, 2)
    np.save(folder / "e.npy", np.eye(6)[kinds] + rng.normal(0, spread, (len(kinds), 6)))
    with (folder / "items.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "kind", "patient_id", "split"])
        for row, kind in enumerate(kinds):
            label = "" if labels == "none" else "abc"[kind]
            part = "val" if row % 8 < 4 else "train"
            writer.writerow([f"{row}.png", label if row % 10 else "", label, f"p{row // 2}", part])
    index = folder / "k.index"
    cbir("index", "import", folder / "e.npy", "--items", folder / "items.csv", "--name", "made", "-o", index)
    return index
