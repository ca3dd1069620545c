"""Recipes' pages: what comes with cbir says what the papers say, and a mistake is named."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest
import tomlkit

from cbir.errors import SpecError
from cbir.training.recipe import RECIPES, NetworkRecipe, read_recipe, recipe_of

FROZEN = {
    "name": "light",
    "kind": "frozen",
    "extractors": ["quick", "vgg16"],
    "head": {"name": "lda", "shrinkage": 0.5},
}
ENSEMBLE = {
    "name": "both",
    "kind": "ensemble",
    "member": [
        {"recipe": "advanced-finetune", "extractor": "densenet121"},
        {"recipe": "advanced-finetune", "extractor": "resnet50"},
    ],
}


def page_of(name: str = "metric-learning") -> dict:
    return tomllib.loads(RECIPES[name].read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_that_comes_with_cbir_can_be_read_and_written(name, tmp_path):
    recipe = read_recipe(name)
    assert recipe.name == name
    (tmp_path / "copy.toml").write_text(tomlkit.dumps(recipe.to_dict()))
    again = read_recipe(tmp_path / "copy.toml")
    assert again == recipe
    assert again.sha256 == recipe.sha256


@pytest.mark.parametrize("page", [FROZEN, ENSEMBLE])
def test_the_other_kinds_come_back_from_their_pages(page):
    recipe = recipe_of(page)
    assert recipe_of(recipe.to_dict()) == recipe
    assert recipe.sha256 != replace(recipe, seed=1).sha256


def test_metric_learning_is_the_papers():
    recipe = read_recipe("metric-learning")
    assert isinstance(recipe, NetworkRecipe)
    assert {term.name: term.weight for term in recipe.losses} == {
        "triplet": 0.6,
        "cross_entropy": 0.3,
        "centre": 0.1,
    }
    assert (recipe.optimiser.old_rate, recipe.optimiser.new_rate) == (1e-5, 1e-4)
    assert (recipe.optimiser.weight_decay, recipe.optimiser.clip) == (1e-4, 1.0)
    assert (recipe.batches.size, recipe.epochs, recipe.patience, recipe.head) == (16, 20, 7, "metric")


def test_the_checksum_is_of_every_setting_and_of_no_order():
    recipe = read_recipe("ordinal")
    assert isinstance(recipe, NetworkRecipe)
    others = (
        replace(recipe, seed=1),
        replace(recipe, batches=replace(recipe.batches, size=32)),
        replace(recipe, side_px=128),
        replace(recipe, losses=recipe.losses[:1]),
    )
    assert len({recipe.sha256, *(each.sha256 for each in others)}) == 5
    assert recipe_of(dict(reversed(page_of("ordinal").items()))).sha256 == recipe.sha256


def test_only_a_recipe_with_a_loss_of_grades_needs_an_order():
    assert read_recipe("ordinal").needs_order
    assert not read_recipe("metric-learning").needs_order


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "netwrok"}, r"kind is 'netwrok'; did you mean network\?"),
        ({"epoch": 3}, r"unknown key 'epoch' = 3; did you mean epochs\?"),
        ({"epochs": 0}, r"epochs is 0; it must be at least 1"),
        ({"epochs": "3"}, r"epochs is '3'; it must be a whole number"),
        ({"seed": -1}, r"seed is -1; it must be at least 0"),
        ({"side_px": 300}, r"side_px is 300, cache_px 256"),
        ({"losses": {}}, r"losses is empty"),
        ({"losses": {"tripplet": {}}}, r"unknown loss 'tripplet'; did you mean triplet\?"),
        ({"losses": {"triplet": {"weight": 0}}}, r"triplet.weight is 0; it must be positive"),
        ({"losses": {"triplet": {"margn": 1}}}, r"losses.triplet: unknown setting 'margn' = 1; did you mean"),
        ({"losses": {"triplet": {"margin": -1}}}, r"losses.triplet.margin is -1; it must be from"),
        ({"losses": {"triplet": {"positives": "esy"}}}, r"positives is 'esy'; did you mean easy\?"),
        ({"batches": {"size": 16, "per_class": 5}}, r"size is 16 with 5 images a class"),
        ({"batches": {"size": 4, "per_class": 4}}, r"take a size of two or more classes, as 8"),
        ({"batches": {"size": 1}}, r"size is 1; batch norm takes at least 2"),
        ({"augment": [{"chance": 0.5}]}, r"augment: name is None; it must be text"),
        ({"optimiser": {"old_rate": 1e-5}}, r"optimiser.new_rate"),
    ],
)
def test_a_mistake_on_a_page_is_one_line_that_names_file_key_and_value(change, says, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(tomlkit.dumps(page_of() | change))
    with pytest.raises(SpecError, match=says) as caught:
        read_recipe(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_ensemble_of_one_and_an_unknown_fusion_are_refused():
    with pytest.raises(SpecError, match="at least 2"):
        recipe_of(ENSEMBLE | {"member": ENSEMBLE["member"][:1]})
    with pytest.raises(SpecError, match="fusion is 'lerned'; did you mean learned"):
        recipe_of(ENSEMBLE | {"fusion": "lerned"})


def test_a_recipe_that_is_none_names_the_nearest(tmp_path):
    with pytest.raises(SpecError, match="did you mean metric-learning"):
        read_recipe("metric-lerning")
    with pytest.raises(SpecError, match=r"gone\.toml can't be read"):
        read_recipe(tmp_path / "gone.toml")
