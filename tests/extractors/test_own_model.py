"""A model in timm's own layout, in a folder or in the hub's cache, becomes a backbone with its weights."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cbir.errors import SpecError, WeightsError
from cbir.extractors.backbone_name import BackboneName
from cbir.extractors.own_model import find_branch, find_own_model, read_timm_config
from cbir.extractors.own_name import names_own_model, own_sources
from cbir.extractors.preset import PlannedBranch, WeightsSource
from cbir.extractors.weights import WeightsStore, strip_prefix
from cbir.images.steps import Normalise, Resize

STEPS = (Resize(64, 64, "stretch", "area"), Normalise((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)))
COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONFIG = {
    "architecture": "test_vit",
    "num_classes": 0,
    "model_args": {"init_values": 1e-5, "dynamic_img_size": True, "num_classes": 0, "in_chans": 3},
    "pretrained_cfg": {"input_size": [3, 160, 160], "mean": [0.5, 0.5, 0.5]},
}
PAGE = """
name = "own"
[[branch]]
backbone = "dir:mein Modell"
pooling = "model"
dim = 64
preprocess = [
    { step = "resize", height_px = 160, width_px = 160 },
    { step = "normalise", mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] },
]
[branch.weights]
license = "CC0-1.0"
"""


@pytest.fixture
def made(tmp_path) -> Path:
    """A folder as ``timm.models.save_for_hf`` fills it, with seeded random weights."""
    import timm
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    model = timm.create_model("test_vit", num_classes=0, init_values=1e-5)
    folder = tmp_path / "mein Modell"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    save_file(
        {name: value.contiguous() for name, value in model.state_dict().items()}, folder / "model.safetensors"
    )
    return folder


def test_a_folder_says_its_architecture_and_arguments(made):
    model = find_own_model("dir:mein Modell", made.parent)
    assert model.backbone == 'timm:test_vit {"dynamic_img_size": true, "init_values": 1e-05}'
    assert model.weights.path == made / "model.safetensors"
    assert model.weights.ref.sha256 == hashlib.sha256(model.weights.path.read_bytes()).hexdigest()


def test_its_weights_fit_the_network_that_its_config_makes(made):
    from cbir.extractors.checkpoint import read_checkpoint
    from cbir.extractors.timm_model import create_timm

    model = find_own_model("dir:mein Modell", made.parent)
    network = create_timm(model.backbone)
    assert set(read_checkpoint(model.weights.path)) == set(network.state_dict())
    assert any("ls1" in name for name in network.state_dict())  # init_values was heeded
    assert not network.training


def test_the_hubs_cache_has_the_same_layout(made, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    snapshot = cache / "models--someone--Tiny" / "snapshots" / COMMIT
    snapshot.parent.mkdir(parents=True)
    made.rename(snapshot)
    (cache / "models--someone--Tiny" / "refs").mkdir()
    (cache / "models--someone--Tiny" / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    store = WeightsStore(tmp_path / "weights")
    for backbone in (f"hf-hub:someone/Tiny@{COMMIT}", "hf-hub:someone/Tiny"):
        model = find_own_model(backbone, tmp_path, offline=True, store=store)
        assert model.backbone.startswith("timm:test_vit {")
        assert model.config.path.parent == model.weights.path.parent == snapshot
    with pytest.raises(WeightsError, match="not in the local cache"):
        find_own_model(f"hf-hub:someone/Tiny@{COMMIT[::-1]}", tmp_path, offline=True, store=store)


def test_another_weights_file_can_be_named_and_pinned(made):
    (made / "other.safetensors").write_bytes(b"other")
    given = WeightsSource("file:mein Modell/other.safetensors", license="CC-BY-NC-ND-4.0")
    model = find_own_model("dir:mein Modell", made.parent, weights=given)
    assert (model.weights.path.name, model.weights.ref.license) == ("other.safetensors", "CC-BY-NC-ND-4.0")
    with pytest.raises(WeightsError, match="is pinned"):
        find_own_model("dir:mein Modell", made.parent, weights=WeightsSource(given.location, sha256="0" * 64))


def test_a_branch_of_an_own_model_becomes_one_that_a_spec_can_hold(made):
    own = PlannedBranch(
        "dir:mein Modell", "model", 64, STEPS, WeightsSource("file:mein Modell/model.safetensors")
    )
    found, weights = find_branch(own, made.parent)
    spec = found.with_weights(weights.ref)
    assert spec.backbone.startswith("timm:test_vit {")
    plain = replace(own, backbone="timm:test_vit")
    assert find_branch(plain, made.parent) == (plain, weights)
    assert find_branch(replace(plain, weights=None), made.parent) == (replace(plain, weights=None), None)


@pytest.mark.parametrize("given", [None, "other.safetensors"])
def test_a_page_that_names_a_folder_becomes_an_extractor(made, given):
    from cbir.extractors.build import load_extractor

    (made.parent / "own.toml").write_text(PAGE)
    (made / "config.json").write_text(
        json.dumps({"architecture": "test_vit", "model_args": {"init_values": 1e-5}})
    )
    if given:
        shutil.copy(made / "model.safetensors", made.parent / given)
    weights = made.parent / given if given else None
    extractor = load_extractor(made.parent / "own.toml", weights=weights, offline=True)
    assert extractor.spec.branches[0].backbone == 'timm:test_vit {"init_values": 1e-05}'
    assert extractor.spec.branches[0].weights.license == (None if given else "CC0-1.0")
    assert extractor.embed([np.zeros((1, 3, 160, 160), np.float32)]).shape == (1, 64)


def test_sources_are_told_as_a_preset_would_write_them():
    assert own_sources("hf-hub:A/b@v1") == ("hub:A/b/config.json@v1", "hub:A/b@v1")
    assert own_sources("hf-hub:A/b/c/d.bin@v1") == ("hub:A/b/config.json@v1", "hub:A/b/c/d.bin@v1")
    assert own_sources("dir:x") == ("file:x/config.json", "file:x/model.safetensors")
    assert [names_own_model(each) for each in ("hf-hub:A/b", "dir:x", "timm:resnet18")] == [True, True, False]


@pytest.mark.parametrize("backbone", ["timm:resnet18", "hf-hub:", "hf-hub:a", "hf-hub:../x", "dir:"])
def test_what_names_no_own_model_is_refused(backbone, tmp_path):
    with pytest.raises((SpecError, WeightsError)):
        find_own_model(backbone, tmp_path, offline=True)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", "no architecture"),
        ("[]", "no architecture"),
        ('{"architectures": ["ViTModel"]}', "no architecture"),
        ('{"architecture": "test_vit", "model_args": [1]}', "no architecture"),
        ('{"architecture": "", "model_args": {}}', "is none"),
        ('{"architecture": "test_vit", "model_args": {"checkpoint_path": "x.pth"}}', "checkpoint_path"),
        ('{"architecture": "test_vit", "model_args": {"pretrained": true}}', "pretrained"),
        ('{"architecture": "test_vit", "model_args": {"in_chans": 1}}', "in_chans"),
        (" " * (1 << 20) + "{}", "no architecture"),
    ],
)
def test_a_config_that_makes_no_sense_or_wants_more_is_refused(tmp_path, text, match):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(SpecError, match=match):
        read_timm_config(tmp_path / "config.json")


def test_a_folder_without_a_config_is_one_line(tmp_path):
    with pytest.raises(WeightsError, match=r"config\.json can't be read: No such file"):
        find_own_model("dir:gone", tmp_path)


def test_a_backbone_name_is_read_as_it_is_written():
    for text in (
        "timm:resnet18",
        'timm:test_vit {"a": [1, 2.5], "b": null}',
        'timm:x {"ü": "{ }"}',
        'timm:x {"weights_prefix": "a."}',
    ):
        name = BackboneName.parse(text)
        assert BackboneName.parse(str(name)) == name
    assert BackboneName.parse('timm:x {"weights_prefix": "a.b."}') == BackboneName("x", {}, "a.b.")
    assert str(BackboneName("x", {"b": 1, "a": 2})) == 'timm:x {"a": 2, "b": 1}'


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "timm:",
        "hub:x",
        "timm:x {",
        "timm:x {1}",
        "timm:x y",
        'timm:x {"a": 1} b',
        'timm:x {"weights_prefix": 1}',
    ],
)
def test_a_backbone_name_that_makes_no_sense_is_refused(text):
    with pytest.raises(SpecError):
        BackboneName.parse(text)


def test_an_argument_that_the_model_does_not_know_is_one_line():
    from cbir.extractors.timm_model import create_timm

    with pytest.raises(SpecError, match="colour"):
        create_timm('timm:test_vit {"colour": "red"}')
    with pytest.raises(SpecError, match="near it"):
        create_timm("timm:test_vitt")


def test_a_tower_is_taken_out_of_a_larger_file():
    import torch

    tensors = {"visual.trunk.a.w": torch.ones(1), "visual.head.w": torch.ones(2), "text.a.w": torch.ones(3)}
    assert list(strip_prefix(tensors, "visual.trunk.", source="x")) == ["a.w"]
    with pytest.raises(WeightsError, match=r"no tensor that begins with 'vision\.'; .* text, visual\."):
        strip_prefix(tensors, "vision.", source="x")
    with pytest.raises(WeightsError, match="begin with nothing"):
        strip_prefix({}, "a.", source="x")


def test_a_tower_with_arguments_gives_the_vectors_of_the_network_alone(made, branch):
    import torch
    from safetensors.torch import load_file

    from cbir.extractors.backbone import build_backbone

    alone = load_file(made / "model.safetensors")
    larger = {f"visual.trunk.{name}": tensor for name, tensor in alone.items()} | {"text.w": torch.ones(1)}
    args = {"init_values": 1e-5, "img_size": 64}
    alone["pos_embed"] = larger["visual.trunk.pos_embed"] = torch.zeros(1, 17, 64)
    pixels = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    vectors = []
    for tensors, prefix in ((alone, ""), (larger, "visual.trunk.")):
        name = str(BackboneName("test_vit", args, prefix))
        spec = replace(branch, backbone=name, pooling="model", dim=64, preprocess=STEPS)
        vectors.append(build_backbone(spec, tensors, source="x")(pixels))
    assert torch.equal(*vectors)
    assert vectors[0].std() > 0


def test_finding_an_own_model_needs_neither_torch_nor_timm(made):
    program = (
        "import sys; from pathlib import Path; from cbir.extractors.own_model import find_own_model; "
        "find_own_model('dir:.', Path(sys.argv[1])); print(sorted({'torch', 'timm'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(made)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
