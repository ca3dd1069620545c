"""A preset is a page of TOML."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from cbir.errors import SpecError, WeightsError
from cbir.extractors.build import resolve_extractor
from cbir.extractors.handcrafted import DESCRIPTORS
from cbir.extractors.preset import PRESETS, read_preset
from cbir.images.steps import Resize

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


DIMS = {
    "quick": [1280],
    "densenet121": [1024],
    "resnet50": [2048],
    "vgg16": [4096],
    "super": [1024, 2048],
    "mega": [1024, 2048, 4096],
    "mixed": [512, 2048],
    "two-metric": [512, 512],
    "dinov2-s": [384],
    "dinov2-b": [768],
    "dinov2-s-reg": [384],
    "dinov2-b-reg": [768],
    "handcrafted": [320, 1764, 54],
    "r50+hc": [2048, 320, 1764, 54],
    "dino+hc": [384, 320, 1764, 54],
    "r50+dino+hc": [2048, 384, 320, 1764, 54],
}


def test_these_are_the_presets():
    assert list(PRESETS) == list(DIMS)
    assert {path.name for path in PRESETS.values()} == {
        path.name for path in PRESETS["quick"].parent.iterdir()
    }


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_says_what_it_is_and_where_its_weights_are(name):
    preset = read_preset(name)
    assert preset.name == name
    assert [planned.dim for planned in preset.branches] == DIMS[name]
    for planned in preset.branches:
        assert planned.weights is None or planned.weights.license
    header = re.match(r"(#.*\n)+", PRESETS[name].read_text())
    assert header
    assert header[0].startswith(f"# {name}: ")
    assert "Source:" in header[0]
    assert "Licence:" in header[0]
    assert str(sum(DIMS[name])) in header[0]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_one_page(name):
    lines = PRESETS[name].read_text().splitlines()
    assert len(lines) < 100
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("name", ["handcrafted", "r50+hc", "dino+hc", "r50+dino+hc"])
def test_descriptors_get_the_size_that_they_are_defined_at(name):
    descriptors = [each for each in read_preset(name).branches if each.weights is None]
    kinds = [each.backbone.removeprefix("handcrafted:") for each in descriptors]
    assert kinds == ["gist", "hog", "lbp"]
    for kind, each in zip(kinds, descriptors, strict=True):
        descriptor = DESCRIPTORS[kind]()
        assert each.dim == descriptor.dim
        (resize,) = [step for step in each.preprocess if isinstance(step, Resize)]
        assert (resize.height_px, resize.width_px) == descriptor.input_px


@pytest.mark.parametrize("name", ["r50+hc", "dino+hc", "r50+dino+hc"])
def test_the_descriptors_together_count_as_much_as_one_network(name):
    weights = read_preset(name).fusion.weights
    assert set(weights[:-3]) == {1.0}
    assert sum(weight**2 for weight in weights[-3:]) == pytest.approx(1.0, abs=1e-4)


def test_the_dinov2_presets_are_normalised_as_timm_says_at_the_size_it_was_trained_at():
    timm = pytest.importorskip("timm")
    for name in ("dinov2-s", "dinov2-b", "dinov2-s-reg", "dinov2-b-reg"):
        (planned,) = read_preset(name).branches
        config = timm.get_pretrained_cfg(planned.weights.name)
        assert f"hub:{config.hf_hub_id}" == planned.weights.location
        assert planned.backbone == f"timm:{config.architecture}"
        resize, normalise = planned.preprocess
        assert (3, resize.height_px, resize.width_px) == config.input_size
        assert (normalise.mean, normalise.std) == (config.mean, config.std)


@pytest.mark.parametrize("name", ["mixed", "two-metric"])
def test_weights_of_ones_own_training_are_asked_for_and_never_downloaded(name):
    with pytest.raises(WeightsError, match=r"come from a training run.*file:….*--as densenet121-metric"):
        resolve_extractor(name)  # not offline: it fails before any connection


def test_arguments_in_another_order_and_spacing_are_the_same_extractor(tmp_path):
    for number, args in enumerate(('{"head":"metric","a":1}', '{ "a": 1, "head": "metric" }')):
        (tmp_path / f"{number}.toml").write_text(
            PAGE.replace('"timm:resnet18"', f"'timm:resnet18 {args}'").replace('"gem"', '"model"')
        )
    first, second = (read_preset(tmp_path / f"{number}.toml").branches[0].backbone for number in (0, 1))
    assert first == second == 'timm:resnet18 {"a": 1, "head": "metric"}'


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
        ('"timm:resnet18"', "'timm:resnet18 {\"head\": 3}'", "head is 3"),
        ("dim = 512", "dim = 512\nchannels = 3", "unknown key 'channels'"),
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
