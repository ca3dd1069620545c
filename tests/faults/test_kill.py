"""kill -9 at random moments: every index opens, no acknowledged file is lost, the next run goes on."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from cbir.errors import IndexMissingError
from indexer.index import Index

CHILD = Path(__file__).with_name("ingest_child.py")
SEED = int(os.environ.get("CBIR_KILL_SEED", "2026"))
N_FILES = 300


@pytest.mark.parametrize("n_kills", [50, pytest.param(1000, marks=pytest.mark.soak)])
@pytest.mark.timeout(14400)
def test_a_killed_ingest_loses_nothing_that_it_acknowledged(n_kills, tiny_model, tmp_path):
    dice = random.Random(SEED)
    folder, index = tmp_path / "images", tmp_path / "lesions.index"
    folder.mkdir()
    change_images(folder, range(N_FILES // 2), dice)
    length_s = time_of_a_run(tmp_path / "pilot.index", tiny_model, folder)
    acknowledged = lost = unopenable = too_late = 0
    for round_number in range(n_kills):
        said, done = run_and_kill(index, tiny_model, folder, dice, length_s)
        too_late += done
        length_s *= 0.8 if done else 1.05  # the machine may be quicker than it was, or slower
        acknowledged = max(acknowledged, said)
        try:
            lost += count_lost(index, folder, acknowledged, said)
        except Exception as error:  # noqa: BLE001  # whatever it is, this index can't be opened
            unopenable += 1
            print(f"round {round_number}: {error!r}")
        # New names sort last, so that "the first N found" stays true between rounds; half of the old change.
        n_old, n_new = len(list(folder.iterdir())), N_FILES // 2 + round_number * N_FILES // 2 // n_kills
        change_images(folder, [*dice.sample(range(n_old), n_old // 2), *range(n_old, n_new)], dice)
    print(f"seed {SEED}: {n_kills} kills, {too_late} too late, {lost} lost, {unopenable} unopenable")
    assert (lost, unopenable) == (0, 0)
    assert too_late < n_kills // 2, "most kills must strike while the run is at work"
    assert_the_next_run_completes(index, tiny_model, folder)


def count_lost(index: Path, folder: Path, acknowledged: int, said: int) -> int:
    """Files once acknowledged must be known; those of the last run with the content that they have."""
    try:
        with Index.open(index) as opened:
            known = {record.path: record.sha256 for record in opened.files()}
    except IndexMissingError:
        return acknowledged
    paths = sorted(folder.iterdir())
    lost = sum(str(path) not in known for path in paths[:acknowledged])
    return lost + sum(known.get(str(path)) != content(path) for path in paths[:said])


def assert_the_next_run_completes(index: Path, prepared: Path, folder: Path) -> None:
    change_images(folder, range(len(list(folder.iterdir())), N_FILES), random.Random(SEED))
    last = subprocess.run(command(index, prepared, folder), capture_output=True, text=True, check=False)
    assert last.stdout.splitlines()[-1].startswith(f"done {N_FILES} "), last.stdout + last.stderr
    with Index.open(index) as opened:
        assert not opened.verify().findings
        assert sorted(item.path for item in opened.items()) == sorted(str(path) for path in folder.iterdir())
        assert {record.path: record.sha256 for record in opened.files()} == {
            str(path): content(path) for path in folder.iterdir()
        }


def run_and_kill(
    index: Path, prepared: Path, folder: Path, dice: random.Random, length_s: float
) -> tuple[int, bool]:
    """How many files the child acknowledged, and whether it came to its end before the kill."""
    with subprocess.Popen(
        command(index, prepared, folder), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        lines: list[str] = []
        assert child.stdout
        if dice.random() < 0.9:  # else: strike while it starts, or makes the index
            lines.append(child.stdout.readline())
        time.sleep(dice.uniform(0, length_s))
        os.kill(child.pid, signal.SIGKILL)
        lines += child.stdout.read().splitlines()
    words = [line.split() for line in lines]
    numbers = [int(line[1]) for line in words if line[:1] == ["acknowledged"] and len(line) > 1]
    return max(numbers, default=0), any(line[:1] == ["done"] for line in words)


def time_of_a_run(index: Path, prepared: Path, folder: Path) -> float:
    """Seconds from the moment the index is there."""
    with subprocess.Popen(
        command(index, prepared, folder), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as child:
        assert child.stdout
        child.stdout.readline()
        started = time.monotonic()
        child.stdout.read()
    return time.monotonic() - started


def command(index: Path, prepared: Path, folder: Path) -> list[str]:
    return [sys.executable, str(CHILD), str(index), str(prepared), str(folder)]


def change_images(folder: Path, numbers: Iterable[int], dice: random.Random) -> None:
    for number in numbers:
        noise = np.random.default_rng(dice.getrandbits(32)).integers(0, 255, (96, 80), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number:05d}.png"), cv2.GaussianBlur(noise, (0, 0), 1 + number % 7))


def content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
