"""The network in training: who learns at which rate, what is frozen, and the names it is saved under."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from cbir.errors import SpecError
from cbir.extractors.backbone import build_backbone
from cbir.training.loop.network import embedding_weights, start_network, trained_branch
from cbir.training.loop.optimise import Optimisers
from cbir.training.loop.start import find_start
from cbir.training.losses.create import WeightedLosses
from cbir.training.recipe import Optimiser

PIXELS = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("head", ["", "metric"])
@pytest.mark.parametrize("pooling", ["model", "avg"])
def test_what_is_trained_can_be_loaded_as_an_extractors_branch(
    head, pooling, recipe, small_branch, small_tensors
):
    recipe, branch = replace(recipe, head=head), replace(small_branch, pooling=pooling)
    network = start_network(recipe, branch, small_tensors, 3, source="a test").train()
    network(PIXELS)  # batch norm sees something
    after = trained_branch(recipe, branch)
    again = build_backbone(after, embedding_weights(network), source="a test")
    assert after.dim == network.dim == (512 if head else 96)
    with torch.inference_mode():
        torch.testing.assert_close(again(PIXELS), network.eval()(PIXELS)[0])


def test_a_head_is_saved_under_the_names_that_a_page_promises(headed, small_network):
    names = embedding_weights(small_network(headed))
    assert {name.split(".")[0] for name in names} == {"backbone", "head"}
    assert "head.layers.0.weight" in names
    assert not any("classifier" in name for name in names)


def test_what_is_new_is_drawn_by_the_recipes_seed_alone(headed, small_network):
    first = small_network(headed).state_dict()
    torch.manual_seed(99)
    before = torch.get_rng_state()
    second, other = small_network(headed).state_dict(), small_network(replace(headed, seed=1)).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["classifier.weight"], other["classifier.weight"])


def test_a_network_without_a_classifying_loss_has_no_classifier(recipe, small_network):
    network = small_network(replace(recipe, losses=recipe.losses[:1]))
    assert network(PIXELS)[1] is None


def test_a_start_that_has_the_head_goes_on_with_it(headed, small_branch, small_network):
    network, branch = small_network(headed), trained_branch(headed, small_branch)
    again = start_network(headed, branch, embedding_weights(network), 3, source="a test")
    assert embedding_weights(again).keys() == embedding_weights(network).keys()
    assert trained_branch(headed, branch) == branch
    assert [id(each) for each in again.new()] == [id(each) for each in again.classifier.parameters()]
    with pytest.raises(SpecError, match="puts the head 'other' on a network that has 'metric' already"):
        start_network(replace(headed, head="other"), branch, embedding_weights(network), 3, source="a test")


def test_old_and_new_layers_and_centres_learn_at_rates_of_their_own(headed, small_network):
    network = small_network(headed)
    losses = WeightedLosses(headed.losses, 3, network.dim)
    optimisers = Optimisers(headed, network, losses)
    adamw, sgd = optimisers.each
    old, new = adamw.param_groups
    assert [group["lr"] for group in (old, new)] == [1e-3, 1e-2]
    assert {id(p) for p in old["params"]} == {id(p) for p in network.embedder.backbone.parameters()}
    assert len(new["params"]) == len([*network.embedder.head.parameters()]) + 2
    assert [id(p) for p in sgd.param_groups[0]["params"]] == [id(losses.losses["centre"].centres)]


def test_centres_move_as_if_their_loss_had_no_weight(recipe, small_network):
    network = small_network(recipe)
    losses = WeightedLosses(recipe.losses, 3, network.dim)
    centres, labels = losses.losses["centre"].centres, torch.tensor([0, 1, 2, 0])
    before = centres.detach().clone()
    embeddings, logits = network(PIXELS)
    losses.total(losses(embeddings, logits, labels)).backward()
    units = torch.nn.functional.normalize(embeddings.detach(), dim=1)
    Optimisers(recipe, network, losses).step()
    # rate .5 on 2 (c - x) / B: the way to each of its images, shared by the batch
    torch.testing.assert_close(centres.detach()[1], before[1] + (units[1] - before[1]) / 4)


def test_rates_fall_on_a_cosine(recipe, small_network):
    network = small_network(recipe)
    optimisers = Optimisers(recipe, network, WeightedLosses(recipe.losses, 3, network.dim))
    assert optimisers.set_rates(0.0) == pytest.approx((1e-3, 1e-2))
    assert optimisers.set_rates(1.5) == pytest.approx((5e-4, 5e-3))
    assert optimisers.set_rates(3.0) == pytest.approx((0.0, 0.0), abs=1e-12)


def test_the_gradient_is_clipped_over_the_whole_network(recipe, small_network):
    network = small_network(recipe)
    losses = WeightedLosses(recipe.losses, 3, network.dim)
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    seen = []
    optimisers = Optimisers(recipe, network, losses)
    optimisers.each[0].register_step_pre_hook(
        lambda *_: seen.append(sum(float(p.grad.square().sum()) for p in network.parameters()))
    )
    optimisers.step()
    assert seen[0] == pytest.approx(1.0, rel=1e-3)


def test_frozen_layers_keep_weights_and_batch_norm(recipe, small_network):
    frozen = replace(recipe, head="metric", optimiser=Optimiser(0.0, 1e-2, 1e-4, 1.0))
    network = small_network(frozen).train()
    before = {name: each.clone() for name, each in network.embedder.backbone.state_dict().items()}
    network(PIXELS)
    assert not any(parameter.requires_grad for parameter in network.old())
    assert network.embedder.head.training
    after = network.embedder.backbone.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not network.eval().embedder.head.training


def test_the_start_is_one_network_at_the_recipes_side(recipe):
    start = find_start(replace(recipe, extractor="quick", side_px=96), offline=True)
    assert start.branch.input_shape == (3, 96, 96)
    assert start.spec.branches[0].input_shape == (3, 224, 224)
    with pytest.raises(SpecError, match=r"can't be trained as one network: it is handcrafted:"):
        find_start(replace(recipe, extractor="handcrafted"), offline=True)
