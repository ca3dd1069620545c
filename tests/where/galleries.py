"""Indexes for the tests of conditions: unknown values, images in parts, files with the same bytes, ties."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gallery import fill_model, image_of, record_of, spec_of, unit_rows

from indexer import IndexWriter

DIM = 8
N_FILES = 72


def mixed(path: Path, *, tenant: str | None = None, store: str = "exact") -> Path:
    """72 files: every sixth in three parts, every ninth a copy of the one before, every eighth looks as 0."""
    from indexer.asking.tenants import remember_tenant_column

    rng = np.random.default_rng(4)
    rows = unit_rows(3 * N_FILES, DIM, 7)
    with IndexWriter.create(path, spec_of(DIM), fill_model, store=store) as writer:
        for number in range(N_FILES):
            said = _said(number, rng)
            name = f"/g/{number}"
            if number % 9 == 8:
                writer.link_file(record_of(name, f"/g/{number - 1}"), **said)
                continue
            vectors = rows[3 * number : 3 * number + 3] if number % 6 == 5 else rows[3 * number]
            if number % 8 == 0:
                vectors = rows[0]
            info = {"Modality": "MG", "age": 1000 + number} if number % 2 else {}
            image = image_of(name, vectors, info=info)
            writer.add_file(record_of(name, name), [image], **said)
        if tenant:
            remember_tenant_column(writer, tenant)
        writer.commit()
        writer.build_store()
        writer.remove_paths([f"/g/{number}" for number in (3, 17, 40)])
        writer.commit()
    return path


def _said(number: int, rng: np.random.Generator) -> dict[str, object]:
    metadata: dict[str, object] = {"view": ("CC", "MLO", None)[number % 3], "site": f"s{number % 4}"}
    if number % 5:
        metadata["age"] = int(rng.integers(20, 90)) if number % 7 else None
    if number % 11 == 0:
        metadata['größe "x"'] = number / 2
    if number % 10 == 0:
        del metadata["site"]
    metadata["mixed"] = (number, str(number), number % 2 == 0, None)[number % 4]
    return {"label": f"l{number % 3}", "group": f"g{number // 4}", "metadata": metadata}
