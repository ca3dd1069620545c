"""Made indexes, and the program run over them; the helpers beside these tests are importable."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "indexer"))


@pytest.fixture(scope="package")
def good(tmp_path_factory) -> Path:
    from indexes import build, clustered

    return build(tmp_path_factory.mktemp("good") / "good.index", clustered(0.8, 2))


@pytest.fixture(scope="package")
def noise(tmp_path_factory) -> Path:
    from gallery import unit_rows
    from indexes import DIM, N, build

    return build(tmp_path_factory.mktemp("noise") / "noise.index", unit_rows(N, DIM, 3), name="noise")


@pytest.fixture
def evaluate(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("CBIR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)

    from cli.app import app

    def run(*words: object, expect: int = 0):
        result = CliRunner().invoke(app, ["evaluate", *map(str, words)], prog_name="cbir")
        assert result.exit_code == expect, result.output
        return result

    return run
