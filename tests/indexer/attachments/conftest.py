"""An index of a dozen images with something attached to it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from gallery import gallery, unit_rows

from indexer import IndexWriter

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def network(tmp_path: Path) -> Path:
    (tmp_path / "network.onnx").write_bytes(b"a network, to who asks for one" * 50)
    return tmp_path / "network.onnx"


@pytest.fixture
def attached(path: Path, network: Path) -> Path:
    """Values of the first ten of twelve items, settings, and a file in a folder."""
    from graded import ids_of, values_of

    gallery(path, unit_rows(12, 8))
    ids = ids_of(path)
    with IndexWriter.open(path) as writer:
        writer.attach(
            "grader",
            settings={"blend": 0.25},
            files={"model/network.onnx": network},
            values=values_of(ids[:10]),
        )
        writer.commit()
    return path
