"""Pictures of three classes by patient, an index of them over a tiny network, and the program."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

N = 12
CLASSES = ("F", "G", "D")
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `cbir` in an empty folder, with nothing set."""
    for name in [name for name in os.environ if name.startswith("CBIR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)

    from cli.app import app

    def run_words(*words: object, expect: int = 0) -> Result:
        result = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
        assert result.exit_code == expect, result.output
        return result

    return run_words


@pytest.fixture(scope="package")
def built(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A dozen pictures, the last a copy of the first, and their index."""
    from cli.app import app

    folder = tmp_path_factory.mktemp("attach")
    images = folder / "images"
    images.mkdir()
    drawn = np.random.default_rng(4)
    for number in range(N - 1):
        picture = (drawn.random((90, 80)) * (60 + 15 * number)).astype(np.uint8)
        cv2.imwrite(str(images / f"{number:02}.png"), cv2.GaussianBlur(picture, (0, 0), 1 + number % 4))
    shutil.copy(images / "00.png", images / "11.png")
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "group", "density"])
        for number in range(N):
            grade = CLASSES[number % 3]
            writer.writerow(
                [images / f"{number:02}.png", "odd" if number % 2 else "even", f"p{number % 11}", grade]
            )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        words = ["index", "build", images, "--labels", folder / "labels.csv", "-o", folder / "g.index"]
        words += ["--extractor", tiny_model / "tiny.toml", "--workers", 2]
        done = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
    assert done.exit_code == 0, done.output
    return images, folder / "g.index"


@pytest.fixture
def images(built: tuple[Path, Path], tmp_path: Path) -> Path:
    """The pictures, where the index has them: not to be changed."""
    return built[0]


@pytest.fixture
def index(built: tuple[Path, Path], tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(built[1], tmp_path / "own.index"))


@pytest.fixture(scope="package")
def classifier_run(
    tiny_classifier_run: Path, built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A run that learned from the second and third picture."""
    folder = Path(shutil.copytree(tiny_classifier_run, tmp_path_factory.mktemp("learned") / "run"))
    with (folder / "split.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "sha256", "label", "group", "split"])
        for number in (1, 2, 3):
            digest = hashlib.sha256((built[0] / f"{number:02}.png").read_bytes()).hexdigest()
            part = "val" if number == 3 else "train"
            writer.writerow([f"/elsewhere/{number}.png", digest, "F", f"p{number}", part])
    return folder
