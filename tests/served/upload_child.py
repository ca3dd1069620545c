"""Writers to be killed while they upload: upload_child.py INDEX URL; run by the tests beside it.

For every line on stdin it forks one, which starts in no time since everything is imported: it says its
process id, then how many items it has acknowledged. ``gone`` is said when it is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "indexer"))

from gallery import add, unit_rows

from indexer import IndexWriter
from indexer.stores.qdrant import live  # noqa: F401  # likewise
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
    for _ in sys.stdin:
        if (writer := os.fork()) == 0:
            print(os.getpid(), flush=True)
            write(Path(sys.argv[1]), sys.argv[2])
        os.waitpid(writer, 0)
        print("gone", flush=True)
