"""A tiny classifier and what it is trained on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from classifiers.recipe import ClassifierRecipe, recipe_of

if TYPE_CHECKING:
    from click.testing import Result

    from classifiers.networks.network import ClassifierNetwork

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "training"))  # its helpers are importable

from classify_command import cbir
from drawn_items import write_items

PAGE = {
    "name": "small",
    "kind": "classifier",
    "extractor": "small",
    "network": {"name": "dal-hybrid"},
    "loss": {"name": "cross_entropy"},
    "batches": {"size": 8},
    "stage": [
        {"learns": "new", "optimiser": "adam", "rate": 1e-2, "epochs": 2},
        {"learns": "all", "optimiser": "sgd", "rate": 1e-2, "epochs": 3, "schedule": "plateau", "plateau": 0},
    ],
}


@pytest.fixture(scope="session")
def recipe() -> ClassifierRecipe:
    return recipe_of(PAGE)


@pytest.fixture
def network() -> Callable[[], ClassifierNetwork]:
    """Makes the same small network each time."""
    from cbir.training.recipe import Named
    from classifiers.networks.create import create_network

    def make() -> ClassifierNetwork:
        return create_network(Named("dal-hybrid"), ["timm:test_resnet"], 3, (3, 32, 32))

    return make


TINY_RECIPE = """
name = "tiny"
kind = "classifier"
extractor = "{start}"
oversample = {oversample}
cache_px = 72
prepare = [{{ step = "clahe" }}]
augment = [{{ name = "flip_horizontal", chance = 0.5 }}]

[network]
name = "{network}"

[loss]
name = "{loss}"

[batches]
size = 12

[[stage]]
learns = "new"
optimiser = "adam"
rate = 1e-3
epochs = 2

[[stage]]
learns = "all"
optimiser = "sgd"
rate = 1e-2
epochs = 2
schedule = "cosine"
"""


@pytest.fixture(scope="session")
def train() -> Callable[..., Result]:
    """Runs `cbir classify train` on a CPU."""

    def run(recipe: object, items: object, output: Path, *more: object, expect: int = 0) -> Result:
        words = ("--items", items, "-o", output, "--device", "cpu", "--workers", 2)
        return cbir("classify", "train", recipe, *words, *more, expect=expect)

    return run


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> Callable[..., Path]:
    """Writes a page that trains a tiny classifier for two epochs and two more."""

    def write(
        *,
        network: str = "dal-hybrid",
        loss: str = "cross_entropy",
        start: object = "",
        oversample: bool = True,
    ) -> Path:
        path = tmp_path_factory.mktemp("page") / "tiny-recipe.toml"
        start = start or tiny_model / "tiny.toml"
        said = {"start": start, "network": network, "loss": loss, "oversample": str(oversample).lower()}
        path.write_text(TINY_RECIPE.format(**said))
        return path

    return write


@pytest.fixture(scope="session")
def items(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 images of 24 patients in three classes; not to be changed."""
    return write_items(tmp_path_factory.mktemp("items"), n_groups=8)


@pytest.fixture(scope="session")
def whole(
    train: Callable[..., Result],
    page: Callable[..., Path],
    items: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, str]:
    """A run that nobody interrupted, and what the command said; not to be changed."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return folder, train(page(), items, folder).stderr
