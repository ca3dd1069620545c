"""A writer to be killed while it changes an index of store qdrant; run as a program by the test beside it.

usage: killed_child.py INDEX
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "indexer"))

from gallery import add, unit_rows

from indexer import IndexWriter

ROWS = unit_rows(500, 8, seed=6)


def write(path: Path) -> None:
    """Add a file a commit, convert and build again after each, compact now and then; print what is there."""
    with IndexWriter.open(path) as writer:
        number = writer.n_items
        while True:
            add(writer, f"/w/{number}", ROWS[number % len(ROWS)])
            writer.commit()
            print(number, flush=True)
            number += 1
            writer.build_store("exact")
            writer.build_store("qdrant")
            add(writer, "/gone", ROWS[(number * 13) % len(ROWS)])
            writer.remove_paths(["/gone"])
            writer.compact()


if __name__ == "__main__":
    write(Path(sys.argv[1]))
