"""Checkpoints: a training that was interrupted, killed or without room goes on to the same numbers."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from train_child import CPU, run, shared_feed, shared_recipe

from cbir.errors import TrainingError
from cbir.training.loop.checkpoint import BEST, LAST, read_checkpoint, write_checkpoint
from cbir.training.loop.history import EpochDone

CHILD = Path(__file__).with_name("train_child.py")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A training that nobody interrupted: its folder, and what came out."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, run(folder)


def assert_same(trained, whole) -> None:
    torch.testing.assert_close(trained.weights, whole.weights, rtol=0, atol=1e-6)
    assert [(each.epoch, each.step) for each in trained.history] == [
        (each.epoch, each.step) for each in whole.history
    ]
    for mine, theirs in zip(trained.history, whole.history, strict=True):
        assert mine.loss == pytest.approx(theirs.loss, abs=1e-6)
        assert mine.precision == theirs.precision
        assert mine.rates == theirs.rates


def interrupted(folder: Path, epoch: int, step: int) -> None:
    def on_step(done) -> None:
        if (done.epoch, done.step) == (epoch, step):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(folder, settings=replace(CPU, on_step=on_step))


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_an_interrupted_training_goes_on_to_the_same_numbers(epoch, whole, tmp_path):
    interrupted(tmp_path, epoch, 2)
    assert (tmp_path / LAST).exists() == (tmp_path / BEST).exists() == (epoch > 1)
    assert_same(run(tmp_path, resumes=True), whole[1])
    last, other = (load_file(folder / LAST) for folder in (tmp_path, whole[0]))
    torch.testing.assert_close(last, other, rtol=0, atol=1e-6)


def test_a_killed_training_goes_on_from_the_last_whole_epoch(whole, tmp_path):
    died = subprocess.run([sys.executable, CHILD, tmp_path, "die"], check=False)
    assert died.returncode == -signal.SIGKILL
    epochs = []
    settings = replace(CPU, on_epoch=lambda done: epochs.append(done.epoch))
    assert_same(run(tmp_path, resumes=True, settings=settings), whole[1])
    assert epochs == [2, 3]
    assert sorted(path.name for path in tmp_path.iterdir()) == [BEST, LAST]


def test_a_kill_between_best_and_last_repeats_the_epoch(whole, tmp_path):
    interrupted(tmp_path, 2, 1)
    first = (tmp_path / LAST).read_bytes()
    run(tmp_path, resumes=True)
    (tmp_path / LAST).write_bytes(first)
    assert_same(run(tmp_path, resumes=True), whole[1])


def test_a_training_that_is_done_is_done_again_at_once(whole):
    epochs = []
    settings = replace(CPU, on_epoch=lambda done: epochs.append(done.epoch))
    assert_same(run(whole[0], resumes=True, settings=settings), whole[1])
    assert epochs == []


def test_two_processes_learn_what_one_does(whole, tmp_path):
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    done = subprocess.run(
        [*torchrun, CHILD, tmp_path], check=False, capture_output=True, text=True, env=_one_thread()
    )
    assert done.returncode == 0, done.stderr
    alone, shared = (
        read_checkpoint(folder / LAST, shared_recipe(), shared_feed().sha256, EpochDone.from_dict)
        for folder in (whole[0], tmp_path)
    )
    for mine, theirs in zip(shared.history, alone.history, strict=True):
        assert mine.terms == pytest.approx(dict(theirs.terms), rel=1e-4)
        assert mine.precision == theirs.precision
    torch.testing.assert_close(shared.part("network"), alone.part("network"), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(shared.part("losses"), alone.part("losses"), rtol=1e-3, atol=1e-4)


def _one_thread() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"epochs": 4}, "its epochs is 3, this one's 4"),
        ({"seed": 5}, "its seed is 0, this one's 5"),
        ({"side_px": 32}, "its side_px is None, this one's 32"),
    ],
)
def test_a_checkpoint_of_another_recipe_is_refused_with_what_differs(changed, says, whole):
    with pytest.raises(TrainingError, match=says) as caught:
        run(whole[0], resumes=True, recipe=replace(shared_recipe(), **changed))
    assert "another recipe" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_of_other_images_is_refused(whole):
    feed = shared_feed()
    feed.pixels[0, 0, 0, 0] += 1
    with pytest.raises(TrainingError, match="of other images, labels or parts"):
        run(whole[0], resumes=True, feed=feed)


@pytest.mark.parametrize("bytes_", [b"", b"PK\x03\x04 a pickle", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_damaged_checkpoint_is_named(bytes_, whole, tmp_path):
    (tmp_path / BEST).write_bytes((whole[0] / BEST).read_bytes())
    (tmp_path / LAST).write_bytes(bytes_)
    with pytest.raises(TrainingError, match=LAST):
        run(tmp_path, resumes=True)


def test_a_checkpoint_says_whose_it_is_without_any_code(whole):
    with safe_open(whole[0] / LAST, framework="np") as file:
        about = file.metadata()
    assert json.loads(about["recipe"]) == shared_recipe().to_dict()
    assert about["feed"] == shared_feed().sha256


def test_a_full_disk_leaves_the_checkpoint_before_it(whole, tmp_path):
    path = tmp_path / LAST
    feed_sha256 = shared_feed().sha256
    checkpoint = read_checkpoint(whole[0] / LAST, shared_recipe(), feed_sha256, EpochDone.from_dict)
    write_checkpoint(path, checkpoint)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(TrainingError, match=r"of epoch 3 can't be written: File too large; the one"):
            write_checkpoint(path, checkpoint)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, old)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [LAST]
