"""A preset is a page of TOML."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from cbir.errors import SpecError
from cbir.extractors.preset import PRESETS, read_preset

PAGE = """
name = "mine"
[[branch]]
backbone = "timm:resnet18"
pooling = "gem"
dim = 512
preprocess = [
    { step = "resize", height_px = 64, width_px = 64 },
    { step = "normalise", mean = [0, 0, 0], std = [1, 1, 1] },
]
[branch.weights]
source = "file:w.safetensors"
"""


@pytest.mark.parametrize(
    ("name", "dim"), [("quick", 1280), ("densenet121", 1024), ("resnet50", 2048), ("vgg16", 4096)]
)
def test_a_preset_says_what_it_is_and_where_its_weights_are(name, dim):
    preset = read_preset(name)
    assert preset.name == name
    assert [planned.dim for planned in preset.branches] == [dim]
    assert preset.branches[0].weights.license
    header = re.match(r"(#.*\n)+", PRESETS[name].read_text())
    assert header
    assert "Source:" in header[0]
    assert "Licence:" in header[0]


def test_a_users_toml_may_leave_out_reading_fusion_and_the_weights_name(tmp_path):
    (tmp_path / "mine.toml").write_text(PAGE)
    preset = read_preset(tmp_path / "mine.toml")
    assert preset.branches[0].weights.location == "file:w.safetensors"
    assert preset.folder == tmp_path
    assert preset.fusion.weights == (1.0,)
    assert preset.read.frames == "middle"


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('"gem"', '"mean"', "mean"),
        ("dim = 512", "", "dim is None"),
        ('"resize"', '"squash"', "squash"),
        ('source = "file:w.safetensors"', "", "source is None"),
        ('source = "file:w.safetensors"', 'source = "pypi:a/b.pth"', "sha256"),
        ('name = "mine"', 'name = "mine"\ncolour = "red"', "colour"),
        ('name = "mine"', 'name = "mine"\nfusion = {weights = [1.0, 2.0]}', "2 fusion weights"),
        ("[[branch]]", "[[branch", "can't be read"),
    ],
)
def test_a_toml_that_makes_no_sense_is_refused_naming_the_file(tmp_path, old, new, named):
    (tmp_path / "mine.toml").write_text(PAGE.replace(old, new))
    with pytest.raises(SpecError, match=named) as caught:
        read_preset(tmp_path / "mine.toml")
    assert "mine.toml" in str(caught.value)


def test_a_missing_file_and_an_unknown_name_are_told_apart(tmp_path):
    with pytest.raises(SpecError, match=r"gone\.toml can't be read"):
        read_preset(tmp_path / "gone.toml")
    with pytest.raises(SpecError, match=r"no preset .*quick, densenet121, resnet50, vgg16"):
        read_preset("resnext")


def test_specs_and_presets_need_neither_torch_nor_timm():
    program = (
        "import sys; from cbir.extractors import resolve_extractor, ExtractorSpec, PRESETS, open_exported; "
        "resolve_extractor('quick', offline=True); "
        "print(sorted({'torch', 'timm', 'huggingface_hub'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
