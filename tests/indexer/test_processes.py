"""Several processes on one index: one writes, any number reads, some are killed."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from gallery import fill_model, spec_of

from cbir.errors import IndexLockedError
from indexer import Index, IndexWriter

CHILD = Path(__file__).parents[1] / "faults" / "index_child.py"


def start(what: str, path: Path, seconds: float) -> subprocess.Popen[str]:
    command = [sys.executable, str(CHILD), what, str(path), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    IndexWriter.create(tmp_path / "shared.index", spec_of(8), fill_model).close()
    return tmp_path / "shared.index"


def test_a_writer_in_another_process_is_respected_and_named(path):
    with start("hold", path, 60) as child:
        assert child.stdout.readline() == "locked\n"
        with pytest.raises(IndexLockedError, match=rf"pid {child.pid}\b"):
            IndexWriter.open(path)
        with Index.open(path) as index:  # readers need no lock
            assert len(index) == 0
        child.kill()
        child.communicate()
        IndexWriter.open(path).close()  # the lock died with its holder


def test_readers_see_whole_generations_while_a_writer_publishes(path):
    children = [start("write", path, 5), start("read", path, 5), start("read", path, 5)]
    for child in children:
        _, complaints = child.communicate(timeout=120)
        assert (child.returncode, complaints) == (0, "")
    with Index.open(path) as index:
        assert index.verify().ok
        assert index.generation > 10


def killed_rounds(path: Path, n_rounds: int, seed: int) -> int:
    """Kill a writer at random moments; acknowledged items that were lost afterwards."""
    draw = random.Random(seed)
    lost = acknowledged = 0
    for _ in range(n_rounds):
        with start("write", path, 60) as child:
            said = child.stdout.readline()
            time.sleep(draw.uniform(0, 0.3))
            child.kill()
            said += child.communicate()[0]
        acknowledged = max([acknowledged, *map(int, said.split("\n")[:-1])])
        with Index.open(path) as index:
            there = {item.path for item in index.items()}
            lost += sum(f"/w/{number}" not in there for number in range(acknowledged + 1))
            assert index.verify().ok
    assert acknowledged >= n_rounds - 1
    return lost


def test_a_killed_writer_loses_nothing_that_it_acknowledged(path):
    assert killed_rounds(path, 20, seed=5) == 0


@pytest.mark.soak
def test_a_killed_writer_loses_nothing_that_it_acknowledged_for_long(path):
    assert killed_rounds(path, 1000, seed=6) == 0
