"""A writer to be killed, and a writer and a reader that never stop; run as a program by the tests beside it.

usage: index_child.py write|hold|read INDEX SECONDS
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "indexer"))

from gallery import add, unit_rows

from cbir.types import Query
from indexer import Index, IndexWriter

ROWS = unit_rows(500, 8, seed=6)


def write(path: Path, seconds: float) -> None:
    """Add one file a commit, compact now and then; print what was acknowledged."""
    end = time.monotonic() + seconds
    with IndexWriter.open(path) as writer:
        number = writer.n_items
        while time.monotonic() < end:
            add(writer, f"/w/{number}", ROWS[number % len(ROWS)])
            writer.commit()
            print(number, flush=True)
            number += 1
            if number % 7 == 0:
                add(writer, "/gone", ROWS[(number * 13) % len(ROWS)])
                writer.remove_paths(["/gone"])
                writer.compact()


def hold(path: Path, seconds: float) -> None:
    """Take the lock, say so, wait."""
    with IndexWriter.open(path):
        print("locked", flush=True)
        time.sleep(seconds)


def read(path: Path, seconds: float) -> None:
    """Open and search for ever; every generation must be whole, and none older than the one before."""
    end = time.monotonic() + seconds
    generation = n_items = n_reads = 0
    while time.monotonic() < end:
        with Index.open(path, resident=n_reads % 2 == 0) as index:
            assert index.generation >= generation
            assert len(index) >= n_items
            generation, n_items = index.generation, len(index)
            hits = index.search(Query(ROWS[0], index.fingerprint), 10_000)
            assert sorted(hit.item.path for hit in hits) == sorted(f"/w/{n}" for n in range(n_items))
            index.thumbnail(hits[-1].item.id) if hits else b""
        n_reads += 1
    print(n_reads, generation, flush=True)


if __name__ == "__main__":
    {"write": write, "hold": hold, "read": read}[sys.argv[1]](Path(sys.argv[2]), float(sys.argv[3]))
