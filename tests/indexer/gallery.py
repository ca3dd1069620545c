"""Small indexes of seeded vectors, for the tests of everything that stores or searches."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cbir.extractors.spec import BranchSpec, ExtractorSpec, FusionSpec, WeightsRef
from cbir.images.settings import ReadSpec
from cbir.images.steps import Normalise, Resize
from indexer import FileRecord, Index, IndexWriter, NewImage


def spec_of(dim: int, *, name: str = "seeded", weights: str = "0" * 64) -> ExtractorSpec:
    steps = (Resize(height_px=8, width_px=8), Normalise(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)))
    branch = BranchSpec("timm:none", WeightsRef("random", weights), steps, "avg", dim)
    return ExtractorSpec(name, ReadSpec(), (branch,), FusionSpec())


def unit_rows(n: int, dim: int, seed: int = 0) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).standard_normal((n, dim))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def fill_model(folder: Path) -> None:
    (folder / "branch0.onnx").write_bytes(b"not a network, but checksummed like one" * 20)


def sha256_of(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()


def image_of(content: str, vector: NDArray[np.float32], *, frame: int = 0, **more: object) -> NewImage:
    thumbnail = os.fsencode(f"thumbnail of {content}")
    return NewImage(
        sha256_of(content), frame, vector, thumbnail, sha256_of(f"pixels {content} {frame}"), **more
    )


def record_of(path: str, content: str, outcome: str = "indexed") -> FileRecord:
    return FileRecord(path, len(content), 1, sha256_of(content), outcome)


def add(writer: IndexWriter, path: str, vector: NDArray[np.float32], **said: object) -> None:
    """One file with one image; its content is named after its path."""
    writer.add_file(record_of(path, path), [image_of(path, vector)], **said)


def gallery(path: Path, rows: NDArray[np.float32], *, store: str = "faiss") -> Path:
    """An index with one file a row: /g/0, /g/1 … of label l<row % 3> and group g<row // 4>."""
    with IndexWriter.create(path, spec_of(rows.shape[1]), fill_model, store=store) as writer:
        for number, row in enumerate(rows):
            add(writer, f"/g/{number}", row, label=f"l{number % 3}", group=f"g{number // 4}")
        writer.commit()
        writer.build_store()
    return path


def id_of(index: Index, path: str) -> str:
    return next(item.id for item in index.items() if item.path == path)
