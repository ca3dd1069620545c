"""A tiny network and a recipe for it; images to train it on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from cbir.extractors.spec import BranchSpec, WeightsRef
from cbir.images.steps import Normalise, Resize
from cbir.training.recipe import NetworkRecipe, recipe_of
from cli.app import app

if TYPE_CHECKING:
    from click.testing import Result
    from torch import Tensor

    from cbir.training.loop.network import TrainedNetwork

sys.path.insert(0, str(Path(__file__).parent))  # the helpers beside these tests are importable

from drawn_items import write_items

PAGE = {
    "name": "small",
    "kind": "network",
    "extractor": "small",
    "epochs": 3,
    "patience": 3,
    "batches": {"size": 8},
    "optimiser": {"old_rate": 1e-3, "new_rate": 1e-2, "weight_decay": 1e-4, "clip": 1.0},
    "losses": {
        "triplet": {"weight": 0.6, "margin": 0.5},
        "cross_entropy": {"weight": 0.3, "label_smoothing": 0.1},
        "centre": {"weight": 0.1},
    },
}

TINY_RECIPE = """
name = "tiny"
kind = "network"
extractor = "{page}"
epochs = 3
patience = 3
seed = 0
cache_px = 72
augment = [{{ name = "flip_horizontal", chance = 0.5 }}]

[batches]
size = 12
per_class = 4

[optimiser]
old_rate = 1e-3
new_rate = 1e-2
weight_decay = 1e-4
clip = 1.0

[losses.triplet]
weight = 1.0
margin = 0.5

[losses.cross_entropy]
weight = 0.3
"""


@pytest.fixture(scope="session")
def make_items(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes images and an items file: ``n_groups`` patients a kind, ``n_images`` each."""

    return lambda n_groups=10, n_images=2, seed=0: write_items(
        tmp_path_factory.mktemp("items"), n_groups, n_images, seed
    )


@pytest.fixture(scope="session")
def items(make_items: Callable[..., Path]) -> Path:
    """60 images of 30 patients; not to be changed."""
    return make_items()


@pytest.fixture(scope="session")
def recipe() -> NetworkRecipe:
    made = recipe_of(PAGE)
    assert isinstance(made, NetworkRecipe)
    return made


@pytest.fixture(scope="session")
def headed(recipe: NetworkRecipe) -> NetworkRecipe:
    return replace(recipe, head="metric")


@pytest.fixture(scope="session")
def small_branch() -> BranchSpec:
    steps = (Resize(32, 32), Normalise((0.5,) * 3, (0.5,) * 3))
    return BranchSpec("timm:test_resnet", WeightsRef("seeded", "ab" * 32), steps, "avg", 96)


@pytest.fixture(scope="session")
def small_tensors() -> dict[str, Tensor]:
    import torch

    from cbir.extractors.timm_model import create_timm

    torch.manual_seed(0)
    return create_timm("timm:test_resnet").state_dict()


@pytest.fixture
def small_network(
    small_branch: BranchSpec, small_tensors: dict[str, Tensor]
) -> Callable[[NetworkRecipe], TrainedNetwork]:
    from cbir.training.loop.network import start_network

    return lambda recipe: start_network(recipe, small_branch, small_tensors, 3, source="a test")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `cbir` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run_words(*words: object, expect: int = 0) -> Result:
        result = CliRunner().invoke(app, [str(word) for word in words], prog_name="cbir")
        assert result.exit_code == expect, result.output
        return result

    return run_words


@pytest.fixture
def tiny_recipe(tmp_path: Path, tiny_model: Path) -> Path:
    """A page that trains the tiny model for three epochs."""
    page = tmp_path / "tiny-recipe.toml"
    page.write_text(TINY_RECIPE.format(page=tiny_model / "tiny.toml"))
    return page
