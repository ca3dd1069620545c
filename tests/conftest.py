"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images and weights, or a skip."""
    folder = Path(os.environ.get("CBIR_TEST_DATA", ROOT / ".." / "shared")).resolve()
    if not (folder / "data" / "mini_mias" / "labels.csv").is_file():
        pytest.skip(f"no test data in {folder}; set CBIR_TEST_DATA")
    return folder


@pytest.fixture(scope="session")
def mini_mias(shared_data: Path) -> Path:
    return shared_data / "data" / "mini_mias"


@pytest.fixture(scope="session")
def weights_folder(shared_data: Path) -> Path:
    return shared_data / "weights"
