"""The page of a classifier's training: named ones, and a user's own file in the same format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cbir.errors import SpecError
from cbir.extractors.entries import entry_list, int_entry, mapping, number_entry, text_entry
from cbir.images.steps import Normalise, step_from_dict
from cbir.training.recipe.entries import batches_table, named_table, only_known, read_page
from classifiers.recipe.recipe import ClassifierRecipe
from classifiers.recipe.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOLDER = Path(__file__).parents[1] / "recipes"

RECIPES: Mapping[str, Path] = {
    "dal-hybrid": _FOLDER / "dal-hybrid.toml",
    "se-densenet": _FOLDER / "se-densenet.toml",
    "se-densenet-lc25000": _FOLDER / "se-densenet-lc25000.toml",
    "hybrid-fusion": _FOLDER / "hybrid-fusion.toml",
}
"""Every recipe's page by its name."""

_KIND = "classifier"
_TEXTS = ("learns", "optimiser", "schedule")
_COUNTS = ("epochs", "patience", "plateau")
_NUMBERS = ("rate", "weight_decay", "momentum", "factor")


def read_recipe(name_or_toml: str | Path) -> ClassifierRecipe:
    """Read a recipe, or a TOML file in the recipes' format.

    Raises:
        SpecError: no such recipe or file, not TOML, or it makes no sense; names the file.
    """
    return read_page(name_or_toml, RECIPES, recipe_of)


def recipe_of(page: Mapping[str, object]) -> ClassifierRecipe:
    """Read a page, or what a recipe's ``to_dict`` gave.

    Raises:
        SpecError: it makes no sense.
    """
    kind = text_entry("recipe", page, "kind")
    if kind != _KIND:
        raise SpecError(f"kind is {kind!r}, a classifier's page has {_KIND!r}; of extractors: cbir train.")
    only_known(
        *("recipe", page, "name", "kind", "extractor", "seed", "cache_px", "side_px", "oversample"),
        *("prepare", "normalise", "augment", "network", "loss", "batches", "stage"),
    )
    lists = {"prepare": [], "augment": []} | dict(page)
    if not isinstance(oversample := page.get("oversample", False), bool):
        raise SpecError(f"oversample is {oversample!r}; it must be true or false.")
    return ClassifierRecipe(
        name=text_entry("recipe", page, "name"),
        extractor=text_entry("recipe", page, "extractor"),
        network=named_table("network", page.get("network")),
        loss=named_table("loss", page.get("loss")),
        batches=batches_table(mapping("batches", page.get("batches"))),
        stages=tuple(_stage(mapping("stage", each)) for each in entry_list(page, "stage")),
        augment=tuple(named_table("augment", each) for each in entry_list(lists, "augment")),
        prepare=tuple(step_from_dict(mapping("prepare", each)) for each in entry_list(lists, "prepare")),
        normalise=_normalise(mapping("normalise", page["normalise"])) if "normalise" in page else None,
        oversample=oversample,
        **{key: int_entry("recipe", page, key) for key in ("cache_px", "side_px", "seed") if key in page},
    )


def _normalise(values: Mapping[str, object]) -> Normalise:
    step = step_from_dict({"step": Normalise.name, **values})
    if not isinstance(step, Normalise):
        raise TypeError(f"The step {Normalise.name!r} is a {type(step).__name__}.")
    return step


def _stage(values: Mapping[str, object]) -> Stage:
    only_known("stage", values, *_TEXTS, *_COUNTS, *_NUMBERS)
    for key in ("learns", "optimiser", "rate", "epochs"):
        if key not in values:
            raise SpecError(f"stage: {key} is missing; say it of each stage.")
    texts = {key: text_entry("stage", values, key) for key in _TEXTS if key in values}
    counts = {key: int_entry("stage", values, key) for key in _COUNTS if key in values}
    numbers = {key: number_entry(f"stage.{key}", values[key]) for key in _NUMBERS if key in values}
    return Stage(**texts, **counts, **numbers)  # type: ignore[arg-type]  # it checks the words
