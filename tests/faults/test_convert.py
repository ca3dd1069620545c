"""A store that is built again or changed for another, interrupted anywhere: the index answers as it did."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from failing_disk import disk
from gallery import gallery, unit_rows

from cbir.errors import IndexDamagedError, IndexWriteError
from cbir.types import Query
from indexer import STORES, Index, IndexWriter, verify_index
from indexer.manifest import read_manifest
from indexer.stores import StoreKind
from indexer.stores import faiss as faiss_store

ROWS = unit_rows(120, 8, seed=5)
CONVERTING = """
import sys
from functools import partial
from pathlib import Path
from indexer import STORES, IndexWriter
from indexer.stores import StoreKind, faiss
STORES["faiss"] = StoreKind(partial(faiss.build, flat_limit=100), STORES["faiss"].open)
with IndexWriter.open(Path(sys.argv[1])) as writer:
    print("started", flush=True)
    while True:
        for kind in ("faiss", "qdrant", "exact"):
            writer.build_store(kind, anew=True)
"""


@pytest.fixture(autouse=True)
def inverted(monkeypatch):
    """FAISS writes a file for few rows, too; one thread is quickest for so few."""
    import faiss

    n_threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    small = StoreKind(partial(faiss_store.build, flat_limit=100), STORES["faiss"].open)
    monkeypatch.setitem(STORES, "faiss", small)
    yield
    faiss.omp_set_num_threads(n_threads)


@pytest.fixture
def path(tmp_path) -> Path:
    return gallery(tmp_path / "lesions.index", ROWS)


def answers(path: Path) -> list[tuple[str, float]]:
    with Index.open(path) as index:
        return [(hit.item.id, hit.score) for hit in index.search(Query(ROWS[5], index.fingerprint), 20)]


def test_rebuilding_mends_a_damaged_store(path):
    before, generation = answers(path), read_manifest(path).generation
    (name,) = read_manifest(path).store.files
    content = (path / name).read_bytes()
    (path / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(IndexDamagedError, match="store"):
        answers(path)
    with IndexWriter.open(path) as writer:
        writer.build_store()  # it looks fresh: nothing is done
        assert writer.generation == generation
        writer.build_store(anew=True)
    assert read_manifest(path).generation == generation + 1
    assert not (path / name).exists()
    assert answers(path) == before
    assert verify_index(path).ok


@pytest.mark.parametrize("kind", ["exact", "faiss"])
def test_a_disk_that_refuses_leaves_the_store_that_was_there(path, tmp_path, kind):
    copy = tmp_path / "copy.index"
    before = answers(path)

    def convert() -> None:
        with IndexWriter.open(copy) as writer:
            writer.build_store(kind, anew=True)

    shutil.copytree(path, copy)
    with disk() as watched:
        convert()
    for fail_at in range(1, watched.n_calls):  # the last one comes after the manifest has its name
        shutil.rmtree(copy)
        shutil.copytree(path, copy)
        with disk(fail_at), pytest.raises(IndexWriteError, match="No space"):
            convert()
        assert read_manifest(copy).store == read_manifest(path).store
        assert answers(copy) == before
    convert()
    assert answers(copy) == before


def test_ctrl_c_leaves_the_store_that_was_there(path, monkeypatch):
    before = read_manifest(path)

    def interrupted(*_values):
        raise KeyboardInterrupt

    monkeypatch.setitem(STORES, "exact", StoreKind(interrupted, STORES["exact"].open))
    with pytest.raises(KeyboardInterrupt), IndexWriter.open(path) as writer:
        writer.build_store("exact")
    assert read_manifest(path) == before
    assert verify_index(path).ok


@pytest.mark.parametrize("n_kills", [5, pytest.param(50, marks=pytest.mark.soak)])
def test_a_killed_conversion_leaves_an_index_that_answers_as_before(path, n_kills):
    before = answers(path)
    dice = random.Random(31)
    seen = set()
    for _ in range(n_kills):
        with subprocess.Popen(
            [sys.executable, "-c", CONVERTING, str(path)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout.readline() == "started\n"
            time.sleep(dice.uniform(0, 2))
            os.kill(child.pid, signal.SIGKILL)
        seen.add(read_manifest(path).store.kind)
        assert answers(path) == before
    with IndexWriter.open(path) as writer:
        writer.build_store("faiss", anew=True)
    assert seen <= {"faiss", "qdrant", "exact"}
    assert answers(path) == before
    assert verify_index(path).ok
    assert {each.name for each in (path / "store").iterdir()} == {f"{read_manifest(path).generation:08d}"}
