"""Grad-CAM: what captum gives is the definition's, and weights decide it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from classifiers.explain.grad_cam import GradCam
from classifiers.networks.load import load_network
from cli.app import app

NETWORKS = {
    "dal-hybrid": {"backbones": ("timm:test_resnet",)},
    "hybrid-fusion": {"backbones": ("timm:test_resnet",), "descriptors": ("lbp",)},
}


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((1, 3, 64, 64), dtype=np.float32)


def run(*words: object, expect: int = 0):
    result = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
    assert result.exit_code == expect, result.output
    return result


def by_definition(network, pixels, described, target) -> np.ndarray:
    """ReLU of the sum of channels, each times the mean of the logit's derivatives by it."""
    logits, features = network(torch.from_numpy(pixels).requires_grad_(), described)
    [slopes] = torch.autograd.grad(logits[0, target], features)
    weights = slopes.mean(dim=(2, 3), keepdim=True)
    return (weights * features).sum(dim=1).relu()[0].detach().numpy()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_map_is_the_definitions(name, make_classifier, tmp_path, pixels):
    network = load_network(make_classifier(tmp_path, network=name, **NETWORKS[name]))
    described = np.ones((1, 54), np.float32) if "descriptors" in NETWORKS[name] else None
    beside = None if described is None else torch.from_numpy(described)
    cam = GradCam(network)
    for target in range(3):
        found = cam(pixels, described, target)
        np.testing.assert_allclose(found, by_definition(network, pixels, beside, target), atol=1e-5)
    assert "forward_intermediates" not in vars(network.backbones[0].model)


def test_a_transformer_is_explained_by_its_patches(make_classifier, tmp_path):
    network = load_network(make_classifier(tmp_path, backbones=('timm:test_vit {"img_size": 64}',)))
    large = np.random.default_rng(0).standard_normal((1, 3, 64, 64), dtype=np.float32)
    maps = [GradCam(network)(large, None, target) for target in range(3)]
    assert {each.shape for each in maps} == {(4, 4)}
    assert any(each.any() for each in maps)


def test_other_weights_give_another_map(tiny_classifier_run, pixels):
    network = load_network(tiny_classifier_run)
    before = GradCam(network)(pixels, None, 1)
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(std=0.2)
    after = GradCam(network)(pixels, None, 1)
    assert before.any()
    assert not np.allclose(before / before.max(), after / max(after.max(), 1e-9), atol=0.2)


def test_pictures_and_their_json_are_written(tiny_classifier_run, pictures, tmp_path):
    words = ["classify", "explain", tiny_classifier_run, *pictures[:2], "-o", tmp_path / "out"]
    result = run(*words, "--label", "G")
    names = ["image-001.png", "image-002.png"]
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == ["explain.json", *names]
    document = json.loads((tmp_path / "out" / "explain.json").read_text())
    assert (document["method"], document["files"]) == ("grad-cam", names)
    for path, told, line in zip(pictures, document["images"], result.stdout.splitlines(), strict=False):
        assert (told["path"], told["class"]) == (path, "G")
        assert sum(told["posteriors"].values()) == pytest.approx(1.0)
        assert told["probability"] == told["posteriors"]["G"]
        assert line.startswith(f"{told['file']}  {path}  G {told['probability']:.3f}")
    with Image.open(tmp_path / "out" / names[0]) as opened:
        assert opened.size == (80, 80)


def test_the_predicted_class_is_the_default(tiny_classifier_run, pictures, tmp_path):
    run("classify", "explain", tiny_classifier_run, pictures[0], "-o", tmp_path / "out")
    [told] = json.loads((tmp_path / "out" / "explain.json").read_text())["images"]
    assert told["class"] == told["predicted"] == max(told["posteriors"], key=told["posteriors"].get)


def test_bad_input_is_one_line(tiny_classifier_run, pictures, tmp_path):
    (tmp_path / "no.png").write_text("no image")
    words = ["classify", "explain", tiny_classifier_run, pictures[0], tmp_path / "no.png"]
    result = run(*words, "-o", tmp_path / "out", expect=3)
    assert f"skipped {tmp_path / 'no.png'}: not_an_image" in result.stderr
    told = json.loads((tmp_path / "out" / "explain.json").read_text())["images"]
    assert [each["file"] for each in told] == ["image-001.png", None]
    other = ["-o", tmp_path / "other"]
    assert "has no class 'X'" in run(*words, *other, "--label", "X", expect=2).stderr
    assert "is no classifier" in run("classify", "explain", tmp_path, pictures[0], *other, expect=1).stderr
    assert not (tmp_path / "other").exists()
