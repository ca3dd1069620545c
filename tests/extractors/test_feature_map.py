"""A network gives the map that its own vector is made of, and the vector stays what it was."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cbir.extractors.backbone import PooledBackbone
from cbir.extractors.exported import export, open_exported
from cbir.extractors.extractor import Extractor
from cbir.extractors.feature_map import with_features
from cbir.extractors.heads import HeadedBackbone, create_head
from cbir.extractors.timm_model import create_timm
from cbir.runtime.onnxruntime import OrtNetwork
from cbir.runtime.openvino import OpenVinoNetwork
from cbir.runtime.pytorch import TorchNetwork

SHAPE = (3, 160, 160)
MAPS = {
    "test_resnet": (96, 5, 5),
    "test_efficientnet": (256, 5, 5),
    "test_vit": (64, 10, 10),
    "test_vit3": None,
}


def pixels(n: int = 2) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).standard_normal((n, *SHAPE), dtype=np.float32))


@pytest.mark.parametrize("model", MAPS)
def test_the_map_comes_beside_the_same_vectors(model):
    network = create_timm(f"timm:{model}")
    with torch.inference_mode():
        vectors, features = with_features(network, SHAPE)(pixels())
        assert torch.equal(vectors, network(pixels()))
    assert features.ndim == 4
    assert MAPS[model] in (None, tuple(features.shape[1:]))
    assert "forward_features" not in vars(network)


def test_where_the_pooling_is_the_mean_the_vector_is_the_maps():
    with torch.inference_mode():
        vectors, features = with_features(create_timm("timm:test_resnet"), SHAPE)(pixels())
    torch.testing.assert_close(features.mean(dim=(2, 3)), vectors)


def test_patch_tokens_lie_on_their_grid():
    network = create_timm("timm:test_vit")
    with torch.inference_mode():
        _, features = with_features(network, SHAPE)(pixels())
        tokens = network.forward_features(pixels())[:, network.num_prefix_tokens :]
    torch.testing.assert_close(features[:, :, 3, 7], tokens[:, 3 * features.shape[3] + 7])


def test_a_pooled_and_a_headed_network_give_the_map_below():
    backbone = create_timm("timm:test_resnet")
    for network in (PooledBackbone(backbone, "gem"), HeadedBackbone(backbone, create_head("metric", 96))):
        with torch.inference_mode():
            _, features = with_features(network, SHAPE)(pixels())
            torch.testing.assert_close(features, backbone.forward_features(pixels()))


def test_a_network_of_another_kind_has_no_map():
    assert with_features(nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 4)), (3, 8, 8)) is None
    assert with_features(create_timm("timm:test_resnet"), (3, 32, 32)) is None


def test_an_exported_network_gives_its_map_when_asked(tiny_model, tmp_path):
    path = tiny_model / "model" / "branch0.onnx"
    batch = np.random.default_rng(0).random((3, 3, 64, 64), dtype=np.float32)
    network = OrtNetwork(path)
    vectors, features = network.with_features(batch)
    np.testing.assert_array_equal(vectors, network(batch))
    np.testing.assert_allclose(features.mean(axis=(2, 3)), vectors, rtol=1e-4, atol=1e-6)
    assert OpenVinoNetwork(path, precision="f32")(batch).shape == (3, 96)


def test_a_transformer_is_exported_with_its_map(branch, tmp_path):
    from dataclasses import replace

    from cbir.extractors.spec import ExtractorSpec
    from cbir.images.settings import ReadSpec
    from cbir.images.steps import Normalise, Resize

    torch.manual_seed(0)
    steps = (Resize(160, 160), Normalise((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)))
    spec = ExtractorSpec(
        "vit",
        ReadSpec(),
        (replace(branch, backbone="timm:test_vit", preprocess=steps, pooling="model", dim=64),),
    )
    module = create_timm("timm:test_vit")
    export(Extractor(spec, [TorchNetwork(module, 64)]), tmp_path)
    [network] = open_exported(spec, tmp_path).networks
    _, features = network.with_features(pixels(3).numpy())
    with torch.inference_mode():
        expected = with_features(module, SHAPE)(pixels(3))[1]
    np.testing.assert_allclose(features, expected.numpy(), atol=1e-4)
