"""With the network blocked no connection is even tried; a bundle brings other networks than the default."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

BLOCKER = """
import os, socket
real_connect = socket.socket.connect
def refuse(*words, **more):
    with open(os.environ["ATTEMPTS"], "a") as file:
        print(words, file=file)
    raise OSError(101, "Network is unreachable")
def connect(self, *words):
    return (real_connect if self.family == socket.AF_UNIX else refuse)(self, *words)
socket.socket.connect = socket.socket.connect_ex = connect
for name in ("getaddrinfo", "gethostbyname", "create_connection"):
    setattr(socket, name, refuse)
"""
OWN = """
name = "tiny-of-the-hub"

[[branch]]
backbone = "timm:test_resnet"
pooling = "avg"
dim = 96
preprocess = [
    { step = "resize", height_px = 64, width_px = 64 },
    { step = "normalise", mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] },
]

[branch.weights]
source = "hub:someone/tiny"
license = "CC0-1.0"
"""
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Machine:
    """A user's folders on a machine whose network is blocked in every process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "block").mkdir(parents=True)
        (folder / "block" / "sitecustomize.py").write_text(BLOCKER)
        self.attempts = folder / "attempts"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CBIR_", "HF_"))}
        self.environment = kept | {
            "ATTEMPTS": str(self.attempts), "PYTHONPATH": str(folder / "block"),
            "HF_HOME": str(folder / "hf"),
            "XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config"),
        }  # fmt: skip

    def cbir(self, *words: object, expect: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "cli", *(str(word) for word in words)],
            capture_output=True, text=True, check=False, cwd=self.folder, env=self.environment | variables,
        )  # fmt: skip
        assert done.returncode == expect, done.stderr
        return done


@pytest.fixture
def machine(tmp_path) -> Machine:
    return Machine(tmp_path / "site")


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(3)
    for name in ("one.png", "zwei ü.png", "three.png"):
        coarse = Image.fromarray(rng.integers(0, 256, (6, 6), dtype=np.uint8))
        coarse.resize((96, 80), Image.Resampling.BICUBIC).save(folder / name)
    return folder


@pytest.fixture
def own(tmp_path) -> Path:
    (tmp_path / "own.toml").write_text(OWN)
    return tmp_path / "own.toml"


def build_and_search(machine: Machine, images: Path, *words: object) -> None:
    machine.cbir("index", "build", images, "-o", "x.index", *words)
    done = machine.cbir("search", images / "zwei ü.png", "-i", "x.index", "--json")
    assert Path(json.loads(done.stdout)["hits"][0]["path"]).name == "zwei ü.png"
    assert not machine.attempts.exists(), machine.attempts.read_text()


def test_the_default_extractor_builds_and_searches(machine, images):
    build_and_search(machine, images)


def test_a_bundle_from_a_connected_machine_is_all_that_another_one_needs(
    machine, images, own, tiny_model, tmp_path
):
    connected = Machine(tmp_path / "connected")
    content = (tiny_model / "random.safetensors").read_bytes()
    repository = connected.folder / "hf" / "hub" / "models--someone--tiny"
    snapshot = repository / "snapshots" / COMMIT
    for folder in (repository / "blobs", repository / "refs", snapshot):
        folder.mkdir(parents=True)
    digest = hashlib.sha256(content).hexdigest()
    (repository / "blobs" / digest).write_bytes(content)
    (snapshot / "model.safetensors").symlink_to(Path("../../blobs") / digest)
    (repository / "refs" / "main").write_text(COMMIT)
    connected.cbir("models", "bundle", own, "-o", "w.cbirmodels")
    shutil.copy(connected.folder / "w.cbirmodels", machine.folder)

    done = machine.cbir("models", "install", "w.cbirmodels")
    assert "CC0-1.0" in done.stderr
    build_and_search(machine, images, "--extractor", own)
    assert not (machine.folder / "hf").exists()
    assert digest[:8] in machine.cbir("models", "list").stdout


@pytest.mark.parametrize(
    ("words", "variables"),
    [(["--offline"], {}), ([], {"CBIR_OFFLINE": "1"}), ([], {"HF_HUB_OFFLINE": "1"})],
)
def test_offline_tries_no_connection_and_says_what_to_do(machine, images, own, words, variables):
    done = machine.cbir("index", "build", images, "--extractor", own, *words, expect=1, **variables)
    assert "cbir models install FILE" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not machine.attempts.exists()


def test_without_offline_the_blocked_network_is_tried_and_told_in_one_line(machine, images, own):
    done = machine.cbir("index", "build", images, "--extractor", own, expect=7)
    assert len(done.stderr.splitlines()) == 1
    assert machine.attempts.exists()  # the blocker is in force
