"""Copies of an index on a failing disk, a killed restore, flipped and missing bytes: whole or not there."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from failing_disk import disk
from gallery import gallery, unit_rows

from cbir.errors import IndexDamagedError, IndexWriteError
from indexer import verify_index
from indexer.exporting import export_index
from indexer.snapshot import restore_snapshot, take_snapshot
from indexer.storage.durable import TEMPORARY

ROWS = unit_rows(60, 8, seed=9)
SLOW = """
import sys, time
from pathlib import Path
from indexer.storage import durable
from indexer.snapshot import restore_snapshot
write = durable._write
def slowly(fd, data):
    time.sleep(0.005)
    return write(fd, data[:2000])
durable._write = slowly
print("started", flush=True)
restore_snapshot(Path(sys.argv[1]), Path(sys.argv[2]))
print("done", flush=True)
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    return gallery(tmp_path_factory.mktemp("snapshots") / "lesions.index", ROWS)


@pytest.fixture(scope="module")
def snapshot(source) -> Path:
    take_snapshot(source, source.with_name("lesions.tar"))
    return source.with_name("lesions.tar")


@pytest.mark.parametrize("n_flips", [200, pytest.param(5000, marks=pytest.mark.soak)])
def test_a_flipped_bit_anywhere_is_found_before_anything_appears(snapshot, tmp_path, n_flips):
    content = snapshot.read_bytes()
    draw = random.Random(21)
    for _ in range(n_flips):
        bit = draw.randrange(8 * len(content))
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        (tmp_path / "flipped.tar").write_bytes(flipped)
        with pytest.raises(IndexDamagedError, match=r"flipped\.tar"):
            restore_snapshot(tmp_path / "flipped.tar", tmp_path / "back.index")
        assert [each.name for each in tmp_path.iterdir()] == ["flipped.tar"]


def test_a_snapshot_cut_anywhere_or_longer_is_refused(snapshot, tmp_path):
    content = snapshot.read_bytes()
    draw = random.Random(22)
    for length in [0, 1, 511, 512, len(content) - 1, *(draw.randrange(len(content)) for _ in range(30))]:
        (tmp_path / "cut.tar").write_bytes(content[:length])
        with pytest.raises(IndexDamagedError, match=r"cut\.tar"):
            restore_snapshot(tmp_path / "cut.tar", tmp_path / "back.index")
    (tmp_path / "cut.tar").write_bytes(content + b"\0")
    with pytest.raises(IndexDamagedError, match="more than its manifest says"):
        restore_snapshot(tmp_path / "cut.tar", tmp_path / "back.index")
    assert [each.name for each in tmp_path.iterdir()] == ["cut.tar"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=errno.errorcode.get)
def test_a_disk_that_refuses_leaves_nothing(source, snapshot, tmp_path, code):
    copies = [(take_snapshot, source, "lesions.tar"), (restore_snapshot, snapshot, "back.index")]
    copies += [(export_index, source, "table.parquet"), (export_index, source, "matrix.npy")]
    for make, origin, name in copies:
        place = tmp_path / name
        with disk() as watched:
            make(origin, tmp_path / f"trial of {name}")
        assert watched.n_calls > 5
        for fail_at in range(1, watched.n_calls):  # the last one syncs the folder: the name is there by then
            with disk(fail_at, code), pytest.raises(IndexWriteError, match=os.strerror(code)):
                make(origin, place)
            assert not list(tmp_path.glob(f"{place.stem}.*"))
            assert not list(tmp_path.glob(f"{TEMPORARY}*"))
        make(origin, place)
    assert verify_index(tmp_path / "back.index").ok


@pytest.mark.parametrize("n_kills", [10, pytest.param(200, marks=pytest.mark.soak)])
def test_a_killed_restore_leaves_nothing_under_the_name_and_the_next_one_goes_through(
    snapshot, tmp_path, n_kills
):
    target = tmp_path / "back.index"
    dice = random.Random(23)
    too_late = 0
    for _ in range(n_kills):
        command = [sys.executable, "-c", SLOW, str(snapshot), str(target)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout.readline() == "started\n"
            time.sleep(dice.uniform(0, 0.12))
            os.kill(child.pid, signal.SIGKILL)
            too_late += "done" in child.stdout.read()
        if target.exists():
            assert verify_index(target).ok
            target.rename(tmp_path / f"kept{len(list(tmp_path.iterdir()))}")
    assert too_late < n_kills // 2
    restore_snapshot(snapshot, target)
    assert verify_index(target).ok
    assert not list(tmp_path.glob(f"{TEMPORARY}*"))
