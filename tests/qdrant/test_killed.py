"""kill -9 while the engine writes: every index opens and is sound, nothing acknowledged is lost."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from gallery import fill_model, spec_of, unit_rows

from cbir.types import Query
from indexer import Index, IndexWriter

CHILD = Path(__file__).with_name("killed_child.py")
ROWS = unit_rows(500, 8, seed=6)


def kill_one(path: Path, wait_s: float) -> int:
    """Start a writer, kill it this long after its first word; the last file that it acknowledged."""
    with subprocess.Popen(
        [sys.executable, str(CHILD), str(path)], stdout=subprocess.PIPE, text=True
    ) as child:
        said = child.stdout.readline()
        time.sleep(wait_s)
        child.kill()
        said += child.communicate()[0]
    return max(int(line) for line in said.split("\n")[:-1])


@pytest.mark.parametrize("n_kills", [10, pytest.param(50, marks=pytest.mark.soak)])
def test_a_killed_build_convert_or_compaction_loses_nothing(tmp_path, n_kills):
    path = tmp_path / "killed.index"
    IndexWriter.create(path, spec_of(8), fill_model, store="qdrant").close()
    dice = random.Random(11)
    acknowledged = -1
    stores = set()
    for _ in range(n_kills):
        acknowledged = max(acknowledged, kill_one(path, dice.uniform(0, 2.2)))
        with Index.open(path) as index:
            stores.add((index.info().store, index.info().store_rows > 0))
            there = {item.path for item in index.items()}
            assert {f"/w/{number}" for number in range(acknowledged + 1)} <= there
            hits = index.search(Query(ROWS[0], index.fingerprint), 3)
            np.testing.assert_allclose(hits[0].score, 1, atol=1e-6)
    assert index.verify().ok
    assert len(stores) > 1  # killed in more than one place
    with IndexWriter.open(path) as writer:
        writer.build_store("qdrant")
    with Index.open(path) as index:
        assert index.verify().ok
