"""Small classifiers with random weights; they say nothing about images, and are quick."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result


@pytest.fixture(scope="session")
def tiny_classifier_run(
    make_classifier: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder of a small hybrid with three ordinal classes: ``classifier.json``, network and weights."""
    return make_classifier(tmp_path_factory.mktemp("classifier") / "tiny")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `cbir` in an empty folder, with nothing set."""
    for name in [name for name in os.environ if name.startswith("CBIR_") or name == "NO_COLOR"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)

    def run(*words: object, expect: int = 0) -> Result:
        from cli.app import app

        result = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
        assert result.exit_code == expect, result.output
        return result

    return run


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Six PNG files, each another one."""
    folder = tmp_path_factory.mktemp("pictures")
    drawn = np.random.default_rng(0)
    paths = [folder / f"{number}.png" for number in range(6)]
    for number, path in enumerate(paths):
        picture = (drawn.random((80, 80)) * 40 * (number + 1)).astype(np.uint8)
        cv2.imwrite(str(path), picture)
    return [str(path) for path in paths]
