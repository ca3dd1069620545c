"""An index of made embeddings, and the command line in this process."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from labelled_index import make_index

    return make_index(tmp_path_factory.mktemp("made"))


@pytest.fixture
def run(made: Path, monkeypatch: pytest.MonkeyPatch):
    """Run `cbir` in the folder that the items' paths are relative to, with nothing set."""
    for name in [name for name in os.environ if name.startswith("CBIR_") or name == "NO_COLOR"]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(made.parent)
    from labelled_index import cbir

    return cbir


@pytest.fixture
def index(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(made, tmp_path / "k.index"))
