"""A double of a Qdrant server, and an index that is served by it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "doubles"))
sys.path.insert(0, str(Path(__file__).parents[1] / "indexer"))

from gallery import add, fill_model, spec_of, unit_rows
from qdrant_double import QdrantDouble, folder_in_memory

from cbir import again
from indexer import IndexWriter
from indexer.stores.qdrant.connection import QdrantConnection

DIM = 8


@dataclass(frozen=True)
class Site:
    """A server, an index whose store is on it, and rows of which the index has the first 40."""

    double: QdrantDouble
    connection: QdrantConnection
    path: Path
    rows: NDArray[np.float32]

    def n_points(self) -> int:
        """In the one collection that there is."""
        (collection,) = self.double.collections.named.values()
        return collection.shard.info().points_count


@pytest.fixture
def double() -> Iterator[QdrantDouble]:
    with QdrantDouble() as running:
        yield running


@pytest.fixture
def connection(double: QdrantDouble) -> QdrantConnection:
    return QdrantConnection(double.url, collection="lesions", timeout_s=1, patience_s=0.3)


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder for indexes: what a killed process wrote there stays, as on a disk."""
    with folder_in_memory() as folder:
        yield Path(folder)


@pytest.fixture
def site(double: QdrantDouble, connection: QdrantConnection, memory: Path) -> Site:
    """The index has 40 files /g/<n> of label l<n % 3>."""
    rows, path = unit_rows(60, DIM), memory / "lesions.index"
    with IndexWriter.create(path, spec_of(DIM), fill_model, store="qdrant", server=connection) as writer:
        writer.build_store("qdrant")
        for number, row in enumerate(rows[:40]):
            add(writer, f"/g/{number}", row, label=f"l{number % 3}", metadata={"age": number})
        writer.commit()
    return Site(double, connection, path, rows)


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Waits are noted, not made."""
    waits: list[float] = []
    monkeypatch.setattr(again.time, "sleep", waits.append)
    return waits
