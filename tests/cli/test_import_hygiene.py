"""What a command loads, seen from a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    *(
        "torch",
        "torchvision",
        "timm",
        "faiss",
        "openvino",
        "pydicom",
        "pyarrow",
        "cv2",
        "imagecodecs",
        "qdrant_client",
    ),
    *("jinja2", "rich", "PIL", "onnx", "scipy", "sklearn", "openTSNE", "pandas", "huggingface_hub"),
    "lark",
)
WRAPPER = """
import atexit, sys
names, *words = sys.argv[1:]
atexit.register(lambda: print(*(each for each in names.split(",") if each in sys.modules), file=sys.stderr))
from cli.app import app
app(words, prog_name="cbir")
"""


def loaded(*words: object) -> set[str]:
    command = [sys.executable, "-c", WRAPPER, ",".join(HEAVY), *(str(word) for word in words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("words", [["--version"], ["config", "show"]])
def test_a_small_command_loads_nothing_heavy(words):
    assert loaded(*words) == set()


@pytest.mark.parametrize(
    "words", [["--help"], ["search", "--help"], ["index", "build", "--help"], ["train", "--help"]]
)
def test_help_loads_nothing_heavy_but_what_draws_it(words):
    assert loaded(*words) <= {"rich"}


def test_a_search_loads_nothing_that_it_does_not_use(index, gallery):
    assert loaded("search", gallery / "one.png", "-i", index, "--json") == set()
    assert loaded("search", gallery / "one.png", "-i", index) == set()


def test_asking_by_a_liked_item_loads_nothing(index, run, gallery):
    first = run("search", gallery / "one.png", "-i", index, "--csv", "-k", 1).stdout.splitlines()[1]
    assert loaded("search", "--like", first.split(",")[2], "-i", index) == set()


def test_index_info_loads_nothing_heavy(index):
    assert loaded("index", "info", "-i", index) == set()


def test_saying_what_an_image_is_loads_nothing_heavy(index, gallery):
    assert loaded("search", gallery / "one.png", "-i", index, "--predict") == set()
