"""The helpers beside these tests are importable, whatever folder pytest was started in; a new index."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from indexer import IndexWriter

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lesions.index"


@pytest.fixture
def writer(path: Path) -> Iterator[IndexWriter]:
    """Of a new, empty index of dimension 8."""
    from gallery import fill_model, spec_of

    from indexer import IndexWriter

    with IndexWriter.create(path, spec_of(8), fill_model) as made:
        yield made
