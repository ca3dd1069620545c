"""Indexes of made vectors, and the program run over them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from gallery import add, fill_model, spec_of, unit_rows

from indexer import IndexWriter

N, DIM = 90, 16


def clustered(spread: float, seed: int) -> np.ndarray:
    """Three labels in a row, each a direction with noise around it."""
    directions = unit_rows(3, DIM, 1)
    rows = directions[np.arange(N) % 3] + spread * unit_rows(N, DIM, seed)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def build(path: Path, rows: np.ndarray, *, name: str = "good", first: int = 0) -> Path:
    with IndexWriter.create(path, spec_of(DIM, name=name), fill_model) as writer:
        for number, row in enumerate(rows, start=first):
            birads = None if number % 10 == 9 else float(number % 3 + 1)
            split = "test" if number // 3 % 3 == 2 else "train"
            known = {"birads": birads, "site": "one", "split": split, "split_hash": "abc123" * 8}
            more = {"metadata": known}
            add(writer, f"/g/{number}", row, label=f"l{number % 3}", group=f"g{number // 3}", **more)
        writer.commit()
        writer.build_store()
    return path


def document(result) -> dict:
    return json.loads(result.stdout)
