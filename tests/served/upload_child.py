"""A writer to be killed while it uploads: upload_child.py INDEX URL; run by the tests beside it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "indexer"))

from gallery import add, unit_rows

from indexer import IndexWriter
from indexer.stores.qdrant.connection import QdrantConnection

ROWS = unit_rows(5000, 8, seed=6)


def write(path: Path, url: str) -> None:
    """A few files a commit, one removed, one annotated; print what was acknowledged."""
    with IndexWriter.open(path, server=QdrantConnection(url, collection="lesions")) as writer:
        number = writer.n_items
        while True:
            for _ in range(3):
                add(writer, f"/w/{number}", ROWS[number % len(ROWS)])
                number += 1
            writer.update_annotations("/w/0", label=f"l{number}", group=None, metadata={})
            writer.commit()
            print(number, flush=True)


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2])
