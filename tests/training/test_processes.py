"""Several processes through the command, and one that is stopped: what is left is what one would leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from cbir.extractors.timm_model import create_timm
from cli import training as shown

CHILD = Path(__file__).with_name("command_child.py")
ONCE_CHILD = Path(__file__).with_name("once_child.py")
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--")
VIT = """
name = "small-vit"

[[branch]]
backbone = 'timm:test_vit {"img_size": 32}'
pooling = "model"
dim = 64
preprocess = [
    { step = "resize", height_px = 32, width_px = 32, fit = "stretch", interpolation = "area" },
    { step = "normalise", mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] },
]

[branch.weights]
source = "file:vit.safetensors"
name = "seeded random numbers"
"""


@pytest.fixture
def words(run, tiny_recipe, tmp_path, make_items):
    """Words that train a network without batch norm, which sees a process's own share alone on a CPU."""
    torch.manual_seed(0)
    network = create_timm('timm:test_vit {"img_size": 32}')
    save_file(
        {name: each.contiguous() for name, each in network.state_dict().items()}, tmp_path / "vit.safetensors"
    )
    (tmp_path / "vit.toml").write_text(VIT)
    items = make_items(n_groups=6, n_images=2)

    def of(output, *more):
        options = ("--start", tmp_path / "vit.toml", "--device", "cpu", "--workers", 1)
        return [str(word) for word in ("train", tiny_recipe, "--items", items, "-o", output, *options, *more)]

    return of


def child(what: str, words: list[str], *, before: tuple[str, ...] = (sys.executable,)):
    command = [*before, str(CHILD), what, *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    (file,) = (folder / "weights").iterdir()
    return load_file(file)


def history_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


def assert_same(folder: Path, whole: Path, tolerance: float) -> None:
    torch.testing.assert_close(weights_of(folder), weights_of(whole), rtol=tolerance, atol=tolerance)
    for mine, theirs in zip(history_of(folder), history_of(whole), strict=True):
        assert mine["loss"] == pytest.approx(theirs["loss"], abs=tolerance)
        assert mine["precision"] == theirs["precision"]
    assert (folder / "test.csv").read_text() == (whole / "test.csv").read_text()


def test_a_killed_command_goes_on_to_the_same_extractor(run, words, tmp_path):
    died = child("kill", words("x"))
    assert died.returncode == -signal.SIGKILL
    assert len(history_of(tmp_path / "x")) == 1
    run(*words("x", "--resume"))
    run(*words("whole"))
    assert_same(tmp_path / "x", tmp_path / "whole", 1e-6)
    finished = run(*words("x", "--resume"))
    assert "x is finished: see card.md" in finished.stderr
    assert "embedding" not in finished.stderr


def test_two_processes_leave_what_one_leaves_even_when_they_were_stopped(run, words, tmp_path):
    stopped = child("interrupt", words("x"), before=TORCHRUN)
    assert stopped.returncode != 0
    assert stopped.stderr.count("keeps the best so far; go on with --resume") == 1
    assert "exitcode  : 130" in stopped.stderr
    assert len(history_of(tmp_path / "x")) == 1
    done = child("nothing", words("x", "--resume"), before=TORCHRUN)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("epoch 3/3") == done.stderr.count("test part:") == 1
    run(*words("whole"))
    assert_same(tmp_path / "x", tmp_path / "whole", 2e-4)


def test_what_one_process_does_for_all_is_done_once_and_its_failure_is_everybodys(tmp_path):
    done = subprocess.run(
        [*TORCHRUN, str(ONCE_CHILD), str(tmp_path)], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    first, other = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first == {"result": 7, "n_done": 1, "error": "ColumnError", "interrupted": "KeyboardInterrupt"}
    assert other == {
        "result": 7,
        "n_done": 0,
        "error": "OtherProcessError of ColumnError",
        "interrupted": "OtherProcessError of KeyboardInterrupt",
    }


def test_more_processes_than_gpus_are_refused(run, words, monkeypatch):
    for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"):
        monkeypatch.setenv(name, "2")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    refused = run(*words("x", "--device", "cuda"), expect=2)
    assert "torchrun started 2 processes here, and there are 1 GPUs" in refused.stderr


def test_sigterm_is_as_gentle_as_ctrl_c(run, words, tmp_path, monkeypatch):
    original = shown.TrainingDisplay.epoch

    def stop(self, done, *, is_best):
        original(self, done, is_best=is_best)
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(shown.TrainingDisplay, "epoch", stop)
    stopped = run(*words("x"), expect=130)
    assert "keeps the best so far; go on with --resume" in stopped.stderr
    assert (tmp_path / "x" / "extractor.toml").exists()
    assert signal.getsignal(signal.SIGTERM) == before
