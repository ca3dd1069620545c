"""kill -9 while a collection is brought up to date: nothing acknowledged is lost, the next run mends it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cbir.types import Query
from indexer import Index, IndexWriter

CHILD = Path(__file__).with_name("upload_child.py")
SEED = 2026


@pytest.fixture
def writers(site) -> Iterator[subprocess.Popen[str]]:
    """Starts a writer for every line that it is sent."""
    command = [sys.executable, str(CHILD), str(site.path), site.double.url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        yield running


@pytest.mark.parametrize("n_kills", [10, pytest.param(50, marks=pytest.mark.soak)])
@pytest.mark.timeout(1800)
def test_a_killed_upload_loses_nothing_that_it_acknowledged(n_kills, site, writers):
    dice = random.Random(SEED)
    acknowledged = 0
    for _ in range(n_kills):
        acknowledged = max(acknowledged, run_and_kill(writers, dice))
        found = paths_found(site.path, site.connection)
        assert len(found) == 40 + len(new_files(site))
        assert len(new_files(site)) >= acknowledged - 40
    assert acknowledged > 40
    with IndexWriter.open(site.path, server=site.connection) as writer:
        writer.build_store()
        assert site.n_points() == writer.n_items
    assert paths_found(site.path, site.connection) == paths_found(site.path, store="exact")


def run_and_kill(writers, dice) -> int:
    """Let a writer acknowledge a commit, kill it somewhere in the next ones; how many items it had then."""
    writers.stdin.write("\n")
    writers.stdin.flush()
    writer, said = int(writers.stdout.readline()), [writers.stdout.readline()]
    time.sleep(dice.uniform(0, 0.3))
    os.kill(writer, signal.SIGKILL)
    while said[-1] != "gone\n":
        said.append(writers.stdout.readline())
    return int(said[-2])


def paths_found(path, connection=None, *, store=None) -> list[str]:
    with Index.open(path, store=store, server=connection) as index:
        item = next(iter(index.items()))
        query = Query(index.query(item.id).embedding, index.fingerprint)
        return [hit.item.path for hit in index.search(query, 1000)]


def new_files(site) -> list[str]:
    with Index.open(site.path, store="exact") as index:
        return [item.path for item in index.items() if item.path.startswith("/w/")]
