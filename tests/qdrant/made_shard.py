"""Generations of made items, and the engine over them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from gallery import sha256_of, unit_rows

from cbir.types import Item
from indexer import NewImage
from indexer.catalog import Catalog
from indexer.embeddings import Embeddings
from indexer.storage.blocks import write_block
from indexer.storage.sealed import SealedFile
from indexer.stores import Built, Generation
from indexer.stores.qdrant.embedded import EmbeddedEngine
from indexer.stores.qdrant.private_shard import load_shard
from indexer.writing import edits

FOLDER = "store/00000001"


def generation(folder: Path, items: Sequence[Sequence[Item]], *, dim: int = 4) -> Generation:
    """A row for each list of items, which share it."""
    rows = unit_rows(len(items), dim)
    connection = edits.open_scratch(folder / "catalog.sqlite", new=True)
    for row, (vector, sharing) in enumerate(zip(rows, items, strict=True)):
        content = sha256_of(f"content {row}")
        edits.put_image(connection, [row], NewImage(content, 0, vector, b"", content))
        for number, item in enumerate(sharing):
            said = edits.Annotations(item.label, item.group, item.metadata)
            edits.set_items(connection, f"/g/{row}/{number}", [(0, row)], said)
    block = write_block(folder, 0, 0, list(rows), [b""] * len(rows))
    embeddings = Embeddings(folder, [block.ref], block.files, dim)
    return Generation(folder, "f" * 64, embeddings, Catalog(connection))


def engine(made: Generation, built: Built) -> EmbeddedEngine:
    files = {name: SealedFile(made.directory / name, seal) for name, seal in built.files.items()}
    return EmbeddedEngine(load_shard(made.directory / FOLDER, files), int8=bool(built.settings["int8"]))


def found(asked: EmbeddedEngine, made: Generation, condition: dict | None) -> set[int]:
    """All rows that fulfil a condition."""
    query = np.eye(1, made.embeddings.dim, dtype=np.float32)
    return set(asked.find(query, made.embeddings.n_rows, ef=64, condition=condition)[0].tolist())
