"""A small gallery of made images with awkward names, its index, and the command line in this process."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from cli.app import app

HOSTILE = "<script>alert(1)<>.png"
NOT_UTF8 = os.fsdecode(b"caf\xe9.png")
NAMES = ("one.png", "two.png", "three.png", "图像 café.png", NOT_UTF8, HOSTILE, "sub/under.png")
LABELS = {
    "one.png": ("benign", "p1", "CC"),
    "one again.png": ("benign", "p1", "CC"),
    "two.png": ("malignant", "p1", "MLO"),
    "three.png": ("<script>alert(2)</script>", "p2", "CC"),
    "sub/under.png": ("benign", "p3", "MLO"),
}

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `cbir` in an empty folder, with nothing set."""
    for name in [name for name in os.environ if name.startswith("CBIR_") or name == "NO_COLOR"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)

    def run_words(*words: object, expect: int = 0) -> Result:
        result = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
        assert result.exit_code == expect, result.output
        return result

    return run_words


@pytest.fixture(scope="session")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven images, one of them twice; a text file, a truncated image and a symbolic link."""
    folder = tmp_path_factory.mktemp("gallery") / "images"
    (folder / "sub").mkdir(parents=True)
    rng = np.random.default_rng(5)
    for name in NAMES:
        coarse = Image.fromarray(rng.integers(0, 256, (6, 6), dtype=np.uint8))
        coarse.resize((96, 80), Image.Resampling.BICUBIC).save(folder / name)
    shutil.copy(folder / "one.png", folder / "one again.png")
    (folder / "notes.txt").write_text("not an image")
    (folder / "cut.png").write_bytes((folder / "two.png").read_bytes()[:200])
    (folder / "link.png").symlink_to(folder / "one.png")
    with (folder.parent / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "patient_id", "view"])
        writer.writerows([folder / name, *values] for name, values in LABELS.items())
    return folder


@pytest.fixture(scope="session")
def built(tiny_model: Path, gallery: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The gallery's index, and what `cbir index build` said."""
    folder = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        labels = gallery.parent / "labels.csv"
        words = ["index", "build", gallery, "--labels", labels, "-o", folder / "g.index"]
        words += ["--extractor", tiny_model / "tiny.toml", "--workers", 2]
        result = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
    assert result.exit_code == 3, result.output
    return folder / "g.index", result


@pytest.fixture(scope="session")
def index(built: tuple[Path, Result]) -> Path:
    return built[0]


@pytest.fixture
def own_index(index: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(index, tmp_path / "own.index"))
