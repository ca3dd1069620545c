"""Pages of classifiers' trainings: the named ones say what the papers do; mistakes are one line."""

from __future__ import annotations

import tomllib
from dataclasses import replace

import pytest

from cbir.errors import SpecError
from cbir.images.steps import Clahe
from classifiers.recipe import RECIPES, Stage, read_recipe, recipe_of
from classifiers.training.overrides import Overrides


@pytest.mark.parametrize("name", RECIPES)
def test_a_page_is_read_and_written_back_exactly(name):
    recipe = read_recipe(name)
    assert recipe.name == name
    assert recipe_of(recipe.to_dict()) == recipe
    assert RECIPES[name].read_text().startswith(f"# {name}: ")


def test_the_hybrid_is_trained_as_its_paper_says():
    recipe = read_recipe("dal-hybrid")
    first, second = recipe.stages
    assert first == Stage("new", "adam", 1e-4, 4)
    assert second == Stage("last", "adam", 1e-5, 60, schedule="plateau", factor=0.5, plateau=2, patience=5)
    assert (recipe.batches.size, recipe.oversample, recipe.side_px) == (8, True, 224)
    assert recipe.prepare == (Clahe(2.0, 8),)
    assert recipe.loss.to_dict() == {"name": "distance_aware", "distance_weight": 0.5}
    assert {each.name: dict(each.settings) for each in recipe.augment} == {
        "flip_horizontal": {"chance": 0.5},
        "rotate": {"most_deg": 10.0},
    }
    assert recipe.needs_order


def test_the_fusion_is_trained_as_its_paper_says():
    recipe = read_recipe("hybrid-fusion")
    assert [(each.optimiser, each.rate, each.epochs) for each in recipe.stages] == [("adamw", 1e-4, 30)]
    assert (recipe.batches.size, recipe.side_px) == (16, 512)


def test_the_links_of_a_chain_differ_in_their_name_alone():
    last, middle = read_recipe("se-densenet"), read_recipe("se-densenet-lc25000")
    assert replace(middle, name=last.name) == last
    assert last.stages == (
        Stage("all", "sgd", 0.01, 200, schedule="cosine", weight_decay=1e-4, momentum=0.9),
    )
    assert last.batches.size == 32


def test_a_run_says_some_things_otherwise():
    recipe = Overrides("densenet121", 2, 4, 7).applied(read_recipe("dal-hybrid"))
    assert (recipe.extractor, recipe.batches.size, recipe.seed) == ("densenet121", 4, 7)
    assert [each.epochs for each in recipe.stages] == [2, 2]
    assert Overrides(epochs=50).applied(recipe).stages == recipe.stages
    assert Overrides().applied(recipe) == recipe


def page() -> dict:
    return tomllib.loads(RECIPES["dal-hybrid"].read_text())


def changed(**values):
    return page() | values


BAD = [
    ({"kind": "network"}, "kind is 'network'"),
    ({"stage": []}, "none named"),
    ({"stage": [{"learns": "some", "optimiser": "adam", "rate": 0.1, "epochs": 1}]}, "learns is 'some'"),
    ({"stage": [{"learns": "all", "optimiser": "adam", "rate": 2.0, "epochs": 1}]}, "rate is 2"),
    ({"stage": [{"learns": "all", "optimiser": "adam", "rate": 0.1}]}, "epochs is missing"),
    ({"stage": [{"learns": "all", "optimiser": "adam", "rate": 0.1, "epoch": 1}]}, "unknown key 'epoch'"),
    ({"stage": [{"learns": "all", "optimiser": "adam", "rate": 0.1, "epochs": 0}]}, "epochs is 0"),
    ({"network": {"name": "dal"}}, "unknown network 'dal'"),
    ({"loss": {"name": "distance_aware", "lambda": 1}}, "unknown setting 'lambda'"),
    ({"loss": {"name": "triplet"}}, "unknown loss 'triplet'"),
    ({"oversample": 1}, "oversample is 1"),
    ({"batches": {"size": 8, "per_class": 4}}, "two ways to one end"),
    ({"prepare": [{"step": "grey"}]}, "prepare: grey is the start's"),
    ({"cache_px": 200}, "side_px is 224, cache_px 200"),
    ({"seed": -1}, "seed is -1"),
    ({"augment": [{"name": "blur"}]}, "unknown augmentation 'blur'"),
    ({"stages": []}, "unknown key 'stages'"),
]


@pytest.mark.parametrize(("values", "says"), BAD)
def test_a_mistake_in_a_page_is_one_line(values, says):
    with pytest.raises(SpecError, match=says) as caught:
        recipe_of(changed(**values))
    assert "\n" not in str(caught.value)


def test_a_recipe_that_there_is_not():
    with pytest.raises(SpecError, match="dal-hybrid"):
        read_recipe("dal-hybird")
