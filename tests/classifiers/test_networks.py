"""The papers' networks: their shapes, their counts, what learns and what stays frozen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cbir.errors import SpecError, WeightsError
from cbir.extractors.timm_model import create_timm
from cbir.training.recipe.entry import Named
from classifiers.networks.backbone import Backbone, strip_unused
from classifiers.networks.create import create_network, start_from_classifier
from classifiers.networks.dal_hybrid import dal_hybrid
from classifiers.networks.hybrid_fusion import FusionHead
from classifiers.networks.last_layers import last_parameters
from classifiers.networks.load import start_network
from classifiers.networks.network import ClassifierNetwork
from classifiers.networks.se_densenet import se_densenet
from classifiers.start import find_start

SMALL = (3, 64, 64)


def dal(backbone: str = "timm:test_resnet", scales: str = "C5", n: int = 5) -> ClassifierNetwork:
    return create_network(Named("dal-hybrid", {"scales": scales}), [backbone], n, SMALL)


@pytest.fixture(scope="module")
def se_densenet121() -> ClassifierNetwork:
    return create_network(Named("se-densenet"), ["timm:densenet121"], 2, SMALL)


def n_parameters(network: nn.Module) -> int:
    return sum(each.numel() for each in network.parameters())


def zero_model(name: str) -> nn.Module:
    """Made without the seconds that drawing its weights takes."""
    with torch.device("meta"):
        model = create_timm(f"timm:{name}")
    model.to_empty(device="cpu")
    for tensor in model.state_dict().values():
        tensor.zero_()
    return model


def test_se_densenets_parameters_are_as_many_as_stated(se_densenet121):
    assert n_parameters(se_densenet121) == 7_262_002
    model = zero_model("densenet201")
    assert n_parameters(se_densenet(model, "timm:densenet201", 2, SMALL)) == 19_004_698


def test_a_squeeze_and_excitation_follows_each_of_the_four_dense_blocks(se_densenet121):
    features = se_densenet121.backbones[0].model.features
    names = [name for name, _ in features.named_children()]
    for block in range(1, 5):
        assert names[names.index(f"denseblock{block}") + 1] == f"se{block}"
    assert [getattr(features, f"se{n}").fc1.out_channels for n in range(1, 5)] == [16, 32, 64, 64]
    assert [getattr(features, f"se{n}").fc1.in_channels for n in range(1, 5)] == [256, 512, 1024, 1024]


def test_the_papers_hybrid_has_a_token_and_a_position_for_each_place():
    model = zero_model("resnet50")
    for scales, n_tokens in (("C5", 49), ("C4+C5", 245)):
        network = dal_hybrid(model, "timm:resnet50", 5, (3, 224, 224), scales=scales).eval()
        with torch.inference_mode():
            seen = network.backbones[0](torch.zeros(1, 3, 224, 224))
            assert tuple(seen.maps[-1].shape[1:]) == (2048, 7, 7)
            assert network.head.positions.shape == (1, n_tokens, 128)
            assert network.head.tokens(seen).shape == (1, n_tokens, 128)
            logits, features, embeddings = network.answer(torch.zeros(1, 3, 224, 224))
        assert (logits.shape, features.shape, embeddings.shape) == ((1, 5), (1, 2048, 7, 7), (1, 128))


def test_the_hybrids_head_is_the_papers():
    head = dal().head
    encoder = head.encoder
    assert (encoder.self_attn.num_heads, encoder.linear1.out_features, encoder.dropout.p) == (2, 256, 0.1)
    assert encoder.activation is torch.nn.functional.gelu
    assert [layer.p for layer in head.layers if isinstance(layer, nn.Dropout)] == [0.5, 0.3]
    assert [layer.out_features for layer in head.layers if isinstance(layer, nn.Linear)] == [512, 128]


def test_tokens_are_the_places_row_by_row_with_their_positions():
    network = dal()
    seen = network.backbones[0](torch.randn(2, *SMALL))
    tokens = network.head.tokens(seen)
    reduced = network.head.reduce[0](seen.maps[0])
    for place, (row, column) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
        wanted = reduced[:, :, row, column] + network.head.positions[:, place]
        torch.testing.assert_close(tokens[:, place], wanted)


def test_c4_has_twice_the_resolution_of_c5():
    seen = dal(scales="C4+C5").backbones[0](torch.zeros(1, *SMALL))
    assert [tuple(each.shape[1:]) for each in seen.maps] == [(192, 4, 4), (96, 2, 2)]


def test_a_network_of_one_resolution_has_no_c4():
    with pytest.raises(SpecError, match="has one resolution throughout, no C4; take scales = C5"):
        dal("timm:test_vit", "C4+C5")


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet", "test_convnext"])
def test_a_backbone_sees_what_timm_s_forward_features_gives(name):
    network = create_network(Named("dal-hybrid"), [f"timm:{name}"], 2, SMALL)
    model = network.backbones[0].model
    pixels = torch.randn(2, *SMALL)
    with torch.inference_mode():
        seen = network.backbones[0](pixels)
        torch.testing.assert_close(seen.maps[-1], model.forward_features(pixels))


def test_a_densenet_with_excitations_sees_what_its_features_give(se_densenet121):
    backbone, pixels = se_densenet121.backbones[0], torch.randn(2, *SMALL)
    with torch.inference_mode():
        torch.testing.assert_close(backbone(pixels).maps[-1], backbone.model.features(pixels))


def test_what_a_backbone_does_not_run_is_not_in_the_classifier():
    model = zero_model("vgg11")
    backbone = Backbone(model, "timm:vgg11").eval()
    assert n_parameters(model) > 100_000_000
    strip_unused(backbone, SMALL)
    assert n_parameters(model) < 10_000_000
    assert backbone(torch.zeros(1, *SMALL)).pooled.shape == (1, 512)


def test_a_vit_s_map_is_its_patches_and_its_vector_is_its_own():
    network = create_network(Named("dal-hybrid"), ["timm:test_vit"], 2, (3, 160, 160))
    model = network.backbones[0].model
    pixels = torch.randn(1, 3, 160, 160)
    with torch.inference_mode():
        seen, tokens = network.backbones[0](pixels), model.forward_features(pixels)
    torch.testing.assert_close(seen.maps[-1].flatten(2).transpose(1, 2), tokens[:, 1:])
    torch.testing.assert_close(seen.pooled, model.forward_head(tokens, pre_logits=True))


def owners(names) -> set[str]:
    return {name.rpartition(".")[0] for name in names}


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("resnet50", "layer4. layer3.5."),
        (
            "densenet121",
            "features.transition3. features.denseblock4. features.norm5. features.denseblock3.denselayer24.",
        ),
        ("efficientnet_lite0", "blocks.5. blocks.6. conv_head. bn2. blocks.4.2."),
        ("vgg11", "features.16. features.18. features.13."),
        ("test_convnext", "stages.3. stages.2.blocks.3."),
        ("vit_tiny_patch16_224", "blocks.9. blocks.10. blocks.11. norm. blocks.8."),
    ],
)
def test_the_last_stage_and_the_last_block_before_it_are_found_by_one_rule(name, last):
    model = zero_model(name)
    wanted = {each for each, _ in model.named_parameters() if each.startswith(tuple(last.split()))}
    shape = (3, 224, 224) if "vit" in name else SMALL
    assert last_parameters(model, shape) == wanted


def test_in_stage_one_the_backbone_is_frozen_and_its_batch_norm_stays_as_it_is():
    network = dal()
    network.let_learn("new")
    network.train()
    model = network.backbones[0].model
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    rate = torch.optim.SGD(network.stage_parameters("new"), lr=0.1)
    for _ in range(2):
        network(torch.randn(4, *SMALL))[0].sum().backward()
        rate.step()
    assert not any(each.requires_grad for each in model.parameters())
    assert not any(each.training for each in model.modules())
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert network.head.training
    assert network.head.encoder.training


def test_in_stage_two_exactly_the_last_layers_learn_and_keep_batch_statistics():
    network = dal()
    network.let_learn("last")
    network.train()
    model = network.backbones[0].model
    learning = {name for name, each in model.named_parameters() if each.requires_grad}
    assert learning == last_parameters(model, SMALL)
    assert all(each.requires_grad for each in network.head.parameters())
    norms = {name: each for name, each in model.named_modules() if isinstance(each, nn.BatchNorm2d)}
    assert {name for name, each in norms.items() if each.training} == owners(learning) & set(norms)
    assert {id(p) for p in network.stage_parameters("last")} == {
        id(p) for p in network.parameters() if p.requires_grad
    }


def test_all_learns_after_all_was_said_and_evaluation_mode_is_whole():
    network = dal()
    network.let_learn("new")
    network.let_learn("all")
    network.train()
    assert all(each.requires_grad for each in network.parameters())
    assert all(each.training for each in network.modules())
    network.eval()
    assert not any(each.training for each in network.modules())


def test_excitations_count_as_new(se_densenet121):
    se_densenet121.let_learn("new")
    learning = {name for name, each in se_densenet121.named_parameters() if each.requires_grad}
    assert owners(owners(learning)) == {"", *(f"backbones.0.model.features.se{n}" for n in range(1, 5))}


def test_fusion_joins_networks_and_descriptors():
    backbones = ["timm:test_resnet", "timm:test_efficientnet"]
    network = create_network(Named("hybrid-fusion"), backbones, 3, SMALL, n_described=20)
    pixels, described = torch.randn(2, *SMALL), torch.randn(2, 20)
    logits, _, fused = network.answer(pixels, described)
    assert (logits.shape, fused.shape) == ((2, 3), (2, 96 + 256 + 256))
    pooled = network.backbones[0].model(pixels)
    torch.testing.assert_close(fused[:, :96], pooled)
    kinds = [type(each) for each in network.head.layers]
    assert kinds == [nn.Linear, nn.BatchNorm1d, nn.ReLU, nn.Dropout, nn.Linear]
    with pytest.raises(ValueError, match="takes 20 described numbers; got none"):
        network(pixels)


def test_the_z_score_is_that_of_the_training_part_and_what_does_not_vary_is_zero():
    head = FusionHead(3)
    values = np.array([[1, 5, 2], [3, 5, 4], [5, 5, 9]], dtype=np.float32)
    head.fit_z_score(values)
    scored = (torch.from_numpy(values) - head.mean) * head.inverse
    np.testing.assert_allclose(scored[:, 0], [-1.224745, 0, 1.224745], atol=1e-5)
    assert scored[:, 1].tolist() == [0, 0, 0]
    np.testing.assert_allclose(scored[:, 2].std(correction=0), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("network", "backbones", "n_described", "problem"),
    [
        ("se-densenet", ["timm:test_resnet"], 0, "stands on a DenseNet, and timm:test_resnet is none"),
        ("dal-hybrid", ["timm:test_resnet", "timm:test_vit"], 0, "stands on one network alone"),
        ("dal-hybrid", ["timm:test_resnet"], 7, "one network alone, and there is timm:test_resnet and 7"),
        ("hybrid-fusion", ["timm:test_resnet"], 0, "there is timm:test_resnet alone"),
    ],
)
def test_a_backbone_that_does_not_go_with_the_network_is_refused(network, backbones, n_described, problem):
    with pytest.raises(SpecError, match=problem):
        create_network(Named(network), backbones, 2, SMALL, n_described=n_described)


def test_the_same_seed_draws_the_same_network():
    one, other, third = (
        create_network(Named("dal-hybrid"), ["timm:test_resnet"], 2, SMALL, seed=seed) for seed in (1, 1, 2)
    )
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name
    assert not torch.equal(one.classifier.weight, third.classifier.weight)


def test_a_classifier_begins_with_the_weights_of_an_extractor(tiny_model: Path):
    from safetensors.torch import load_file

    start = find_start(Named("dal-hybrid"), tiny_model / "tiny.toml")
    network = start_network(start, Named("dal-hybrid"), ["a", "b", "c"])
    assert start.backbones == ("timm:test_resnet",)
    assert network.classifier.out_features == 3
    model = network.backbones[0].model.state_dict()
    tensors = load_file(tiny_model / "random.safetensors")
    assert set(tensors) == set(model)
    assert all(torch.equal(tensors[name], model[name]) for name in model)


def test_the_side_may_be_another_one(tiny_model: Path):
    start = find_start(Named("dal-hybrid"), tiny_model / "tiny.toml", side_px=96)
    assert start.input_shape == (3, 96, 96)
    assert start_network(start, Named("dal-hybrid"), ["a", "b"]).head.positions.shape == (1, 9, 128)


def test_an_extractor_of_descriptors_alone_is_no_start():
    with pytest.raises(SpecError, match="has no network, only descriptors"):
        find_start(Named("hybrid-fusion"), "handcrafted", offline=True)


def test_a_classifier_goes_on_from_another_with_a_new_last_layer_for_other_classes():
    one, two = dal(n=5), dal(n=2)
    new = two.classifier.weight.clone()
    start_from_classifier(two, one.state_dict(), source="five.safetensors", keeps_last=False)
    for name, tensor in one.state_dict().items():
        if not name.startswith("classifier."):
            assert torch.equal(two.state_dict()[name], tensor), name
    assert torch.equal(two.classifier.weight, new)
    with pytest.raises(
        WeightsError, match=r"five.safetensors do not fit the classifier: classifier.weight is"
    ):
        start_from_classifier(two, one.state_dict(), source="five.safetensors", keeps_last=True)
