"""What a classifier may begin with: extractors of one network, or of several and descriptors."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from cbir.errors import SpecError
from cbir.training.recipe.entry import Named
from classifiers.networks.load import start_network
from classifiers.start import find_start

NETWORK = """
[[branch]]
backbone = "timm:test_resnet"
pooling = "{pooling}"
dim = 96
preprocess = [
    {{ step = "resize", height_px = {side}, width_px = {side} }},
    {{ step = "normalise", mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] }},
]
[branch.weights]
source = "file:random.safetensors"
"""
LBP = """
[[branch]]
backbone = "handcrafted:lbp"
dim = 54
preprocess = [{ step = "resize", height_px = 128, width_px = 128 }, { step = "grey" }]
"""
FUSION = Named("hybrid-fusion")


@pytest.fixture
def page(tiny_model: Path, tmp_path: Path):
    """Writes an extractor's page beside its weights."""
    shutil.copy(tiny_model / "random.safetensors", tmp_path)

    def write(*parts: str) -> Path:
        path = tmp_path / "own.toml"
        path.write_text('name = "own"\n' + "".join(parts))
        return path

    return write


def network(side: int = 64, pooling: str = "avg") -> str:
    return NETWORK.format(side=side, pooling=pooling)


def test_a_fusion_begins_with_all_branches_of_an_extractor(page):
    start = find_start(FUSION, page(network(), network(pooling="model"), LBP))
    assert start.backbones == ("timm:test_resnet", "timm:test_resnet")
    assert [each.model for each in start.descriptors] == ["lbp"]
    made = start_network(start, FUSION, ["a", "b"])
    logits, _, fused = made.answer(torch.zeros(1, 3, 64, 64), torch.zeros(1, 54))
    assert (logits.shape, fused.shape) == ((1, 2), (1, 96 + 96 + 256))
    one, other = (backbone.model.state_dict() for backbone in made.backbones)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_networks_that_see_two_sizes_need_one_that_fits_both(page):
    own = page(network(64), network(96))
    with pytest.raises(SpecError, match=r"in two ways \(64 and 96 px\).*set side_px to one that fits both"):
        find_start(FUSION, own)
    assert find_start(FUSION, own, side_px=96).input_shape == (3, 96, 96)


def test_an_extractor_that_looks_at_parts_is_no_start(page):
    with pytest.raises(SpecError, match="looks at parts of an image, a classifier at the whole"):
        find_start(FUSION, page(network(), LBP, "\n[tiles]\nacross = 2\n"))


def test_networks_of_one_part_begin_with_one_alone(page):
    start = find_start(Named("dal-hybrid"), page(network(), LBP))
    with pytest.raises(SpecError, match="stands on one network alone, and there is timm:test_resnet and 54"):
        start_network(start, Named("dal-hybrid"), ["a", "b"])


def test_a_run_takes_no_other_weights(tiny_classifier_run, tmp_path):
    with pytest.raises(SpecError, match="brings its weights; leave out --weights"):
        find_start(Named("dal-hybrid"), tiny_classifier_run, weights=tmp_path / "x.safetensors")


def test_the_weights_of_an_extractor_may_be_another_file(page, tiny_model):
    start = find_start(
        Named("dal-hybrid"), page(network()), weights=tiny_model / "random.safetensors", offline=True
    )
    assert start.weights[0].path == tiny_model / "random.safetensors"
