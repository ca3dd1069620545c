"""The made galleries of the other tests are importable, and the program run over them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

for folder in ("indexer", "evaluation"):
    sys.path.insert(0, str(Path(__file__).parents[1] / folder))
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="package")
def good(tmp_path_factory) -> Path:
    """90 items of three labels, three a patient, two thirds of the patients in train and the rest in test."""
    from indexes import build, clustered

    return build(tmp_path_factory.mktemp("good") / "good.index", clustered(0.8, 2))


@pytest.fixture
def cbir(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("CBIR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)

    from cli.app import app

    def run(*words: object, expect: int = 0):
        result = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
        assert result.exit_code == expect, result.output
        return result

    return run
