"""A trained head stands on a backbone, comes in one file with it, and is exported with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from cbir.errors import SpecError, WeightsError
from cbir.extractors.backbone import build_backbone
from cbir.extractors.build import load_extractor, resolve_extractor
from cbir.extractors.exported import export, open_exported
from cbir.extractors.heads import HEADS, create_head
from cbir.extractors.timm_model import create_timm

PAGE = """
name = "headed"
[[branch]]
backbone = 'timm:test_resnet {"head": "metric"}'
pooling = "avg"
dim = 512
preprocess = [
    { step = "resize", height_px = 32, width_px = 48 },
    { step = "normalise", mean = [0, 0, 0], std = [1, 1, 1] },
]
[branch.weights]
source = "file:both.safetensors"
"""


@pytest.fixture
def headed(branch):
    return replace(branch, backbone='timm:test_resnet {"head": "metric"}', dim=512)


@pytest.fixture(scope="module")
def both():
    """Seeded backbone and head, its batch norms as if they had seen data."""
    torch.manual_seed(0)
    head = create_head("metric", 96)
    for module in head.modules():
        if isinstance(module, nn.BatchNorm1d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    parts = {"backbone": create_timm("timm:test_resnet"), "head": head}
    return {
        f"{part}.{name}": tensor.clone()
        for part, module in parts.items()
        for name, tensor in module.state_dict().items()
    }


def by_hand(both: dict[str, torch.Tensor], rows: np.ndarray) -> np.ndarray:
    """The metric head as the notebook has it, in NumPy, without dropout."""
    for linear, norm, is_last in ((0, 1, False), (4, 5, False), (8, 9, True)):
        weight, bias = (both[f"head.layers.{linear}.{name}"].double().numpy() for name in ("weight", "bias"))
        scale, shift, mean, variance = (
            both[f"head.layers.{norm}.{name}"].double().numpy()
            for name in ("weight", "bias", "running_mean", "running_var")
        )
        rows = (rows @ weight.T + bias - mean) / np.sqrt(variance + 1e-5) * scale + shift
        rows = rows if is_last else np.maximum(rows, 0)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_the_metric_head_is_three_layers_to_unit_length(branch, headed, both):
    pixels = torch.rand(4, 3, 32, 48, generator=torch.Generator().manual_seed(1))
    plain = {name.removeprefix("backbone."): t for name, t in both.items() if name.startswith("backbone.")}
    features = build_backbone(branch, plain, source="x")(pixels).double().numpy()
    found = build_backbone(headed, both, source="x")(pixels).numpy()
    assert found.shape == (4, 512)
    np.testing.assert_allclose(found, by_hand(both, features), atol=1e-5)


def test_the_head_has_the_sizes_of_the_notebook():
    head = create_head("metric", 2048)
    shapes = [tuple(each.weight.shape) for each in head.modules() if isinstance(each, nn.Linear)]
    assert shapes == [(1024, 2048), (512, 1024), (512, 512)]
    assert [each.p for each in head.modules() if isinstance(each, nn.Dropout)] == [0.3, 0.2]
    assert not head.training


def test_a_plain_networks_file_is_not_taken_for_one_with_a_head(headed, both):
    plain = {name.removeprefix("backbone."): t for name, t in both.items() if name.startswith("backbone.")}
    with pytest.raises(WeightsError, match=r"neither backbone\.\* nor head\.\*"):
        build_backbone(headed, plain, source="x")


def test_missing_tensors_of_either_part_are_named(headed, both):
    without = {name: tensor for name, tensor in both.items() if not name.startswith("head.layers.8")}
    with pytest.raises(WeightsError, match=r"in its head: 2 tensors are missing \(layers\.8\.weight, "):
        build_backbone(headed, without, source="x")
    without = {name: tensor for name, tensor in both.items() if name.startswith("head.")}
    with pytest.raises(WeightsError, match="tensors are missing"):
        build_backbone(headed, without, source="x")


def test_a_head_made_for_another_backbone_is_refused_with_both_shapes(headed, both):
    other = {f"head.{name}": tensor for name, tensor in create_head("metric", 97).state_dict().items()}
    with pytest.raises(WeightsError, match=r"layers\.0\.weight is \(1024, 97\), the model's \(1024, 96\)"):
        build_backbone(headed, both | other, source="x")


def test_an_unknown_head_names_those_there_are(headed, both):
    unknown = replace(headed, backbone='timm:test_resnet {"head": "arc"}')
    with pytest.raises(SpecError, match=rf"'arc' is unknown; use one of {', '.join(HEADS)}"):
        build_backbone(unknown, both, source="x")


def test_a_head_decides_the_numbers_and_is_exported_with_its_network(tmp_path, both):
    (tmp_path / "page.toml").write_text(PAGE)
    save_file(both, tmp_path / "both.safetensors")
    extractor = load_extractor(tmp_path / "page.toml")
    export(extractor, tmp_path)
    pixels = np.random.default_rng(2).random((5, 3, 32, 48), dtype=np.float32)
    exported = open_exported(extractor.spec, tmp_path, runtime="onnxruntime")
    np.testing.assert_allclose(exported.embed([pixels]), extractor.embed([pixels]), atol=1e-5)
    (tmp_path / "plain.toml").write_text(PAGE.replace(' {"head": "metric"}', ""))
    plain = resolve_extractor(tmp_path / "plain.toml").spec
    assert plain.fingerprint != extractor.spec.fingerprint
