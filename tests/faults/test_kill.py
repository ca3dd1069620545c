"""kill -9 at random moments: every index opens, no acknowledged file is lost, the next run goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
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
    for number in range(N_FILES // 2):
        write_image(folder, number)
    acknowledged = lost = unopenable = completed = 0
    for round_number in range(n_kills):
        said, done = run_and_kill(index, tiny_model, folder, dice)
        completed += done
        acknowledged = max(acknowledged, said)
        try:
            with Index.open(index) as opened:
                known = {record.path for record in opened.files()}
                expected = sorted(str(path) for path in folder.iterdir())[:acknowledged]
                lost += len([path for path in expected if path not in known])
        except IndexMissingError:
            lost += acknowledged
        except Exception as error:  # noqa: BLE001  # whatever it is, this index can't be opened
            unopenable += 1
            print(f"round {round_number}: {error!r}")
        # New names sort last, so that "the first N found" stays true between rounds.
        for number in range(
            len(list(folder.iterdir())), N_FILES // 2 + round_number * N_FILES // 2 // n_kills
        ):
            write_image(folder, number)
    print(f"seed {SEED}: {n_kills} kills, {completed} came too late, {lost} lost, {unopenable} unopenable")
    assert (lost, unopenable) == (0, 0)
    assert completed < n_kills // 2, "most kills must strike while the run is at work"

    for number in range(len(list(folder.iterdir())), N_FILES):
        write_image(folder, number)
    last = subprocess.run(command(index, tiny_model, folder), capture_output=True, text=True, check=False)
    assert last.stdout.splitlines()[-1].startswith(f"done {N_FILES} "), last.stdout + last.stderr
    with Index.open(index) as opened:
        assert len(opened) == N_FILES
        assert not opened.verify().findings
        assert sorted(item.path for item in opened.items()) == sorted(str(path) for path in folder.iterdir())


def run_and_kill(index: Path, prepared: Path, folder: Path, dice: random.Random) -> tuple[int, bool]:
    """How many files the child acknowledged, and whether it came to its end before the kill."""
    with subprocess.Popen(
        command(index, prepared, folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        process_group=0,
    ) as child:
        lines: list[str] = []
        assert child.stdout
        if dice.random() < 0.9:  # else: strike while it starts, or makes the index
            lines.append(child.stdout.readline())
        time.sleep(dice.uniform(0, 2.5))
        os.kill(child.pid, signal.SIGKILL)
        lines += child.stdout.read().splitlines()
    numbers = [
        int(line.split()[1]) for line in lines if line.startswith("acknowledged") and len(line.split()) > 1
    ]
    return max(numbers, default=0), any(line.startswith("done") for line in lines)


def command(index: Path, prepared: Path, folder: Path) -> list[str]:
    return [sys.executable, str(CHILD), str(index), str(prepared), str(folder)]


def write_image(folder: Path, number: int) -> None:
    noise = np.random.default_rng(number).integers(0, 255, (96, 80), dtype=np.uint8)
    cv2.imwrite(str(folder / f"{number:05d}.png"), cv2.GaussianBlur(noise, (0, 0), 1 + number % 7))
