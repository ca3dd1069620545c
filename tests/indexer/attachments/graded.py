"""Values to attach, and whose they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gallery import id_of

from indexer import Index
from indexer.attachments import ItemValues

COLUMNS = ("benign", "malignant")


def values_of(ids: list[str], *, start: float = 0.0) -> ItemValues:
    """Of item n: n and n + 0.5, from a start."""
    numbers = np.arange(len(ids), dtype=np.float32)[:, np.newaxis] + np.float32([0.0, 0.5]) + start
    return ItemValues(COLUMNS, ids, numbers.astype(np.float32))


def ids_of(path: Path, n: int = 12) -> list[str]:
    with Index.open(path) as index:
        return [id_of(index, f"/g/{number}") for number in range(n)]
