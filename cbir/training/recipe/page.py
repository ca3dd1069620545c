"""A recipe's page: named ones that come with cbir, and a user's own file in the same format."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, get_args

from cbir.errors import SpecError
from cbir.extractors.entries import entry_list, int_entry, mapping, number_entry, text_entry
from cbir.nearest import nearest
from cbir.training.losses import LOSSES
from cbir.training.recipe.ensemble import EnsembleRecipe, Member, MemberFusion
from cbir.training.recipe.entries import batches_table, named_table, only_known, read_page
from cbir.training.recipe.frozen import FrozenRecipe
from cbir.training.recipe.network import NetworkRecipe, Optimiser, Term
from cbir.training.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_FOLDER = Path(__file__).parents[1] / "recipes"

RECIPES: Mapping[str, Path] = {
    "advanced-finetune": _FOLDER / "advanced-finetune.toml",
    "metric-learning": _FOLDER / "metric-learning.toml",
    "ordinal": _FOLDER / "ordinal.toml",
    "linear": _FOLDER / "linear.toml",
    "handcrafted-fusion": _FOLDER / "handcrafted-fusion.toml",
    "super-ensemble": _FOLDER / "super-ensemble.toml",
}
"""Every recipe's page by its name."""

Recipe: TypeAlias = NetworkRecipe | FrozenRecipe | EnsembleRecipe


def read_recipe(name_or_toml: str | Path) -> Recipe:
    """Read a recipe, or a TOML file in the recipes' format.

    Raises:
        SpecError: no such recipe or file, not TOML, or it makes no sense; names the file.
    """
    return read_page(name_or_toml, RECIPES, recipe_of)


def recipe_of(page: Mapping[str, object]) -> Recipe:
    """Read a page, or what a recipe's ``to_dict`` gave.

    Raises:
        SpecError: it makes no sense.
    """
    kind = text_entry("recipe", page, "kind")
    if kind not in _KINDS:
        raise SpecError(f"kind is {kind!r}; {nearest(kind, _KINDS)}")
    return _KINDS[kind](page)


def _network(page: Mapping[str, object]) -> NetworkRecipe:
    only_known(
        *("recipe", page, "name", "kind", "extractor", "head", "epochs", "patience", "seed"),
        *("cache_px", "side_px", "augment", "batches", "optimiser", "losses"),
    )
    numbers = ("epochs", "patience", "seed", "cache_px", "side_px")
    return NetworkRecipe(
        name=text_entry("recipe", page, "name"),
        extractor=text_entry("recipe", page, "extractor"),
        head=text_entry("recipe", page, "head") if "head" in page else "",
        losses=_terms(mapping("losses", page.get("losses"))),
        batches=batches_table(mapping("batches", page.get("batches"))),
        optimiser=_optimiser(mapping("optimiser", page.get("optimiser"))),
        augment=tuple(
            named_table("augment", each) for each in entry_list({"augment": []} | dict(page), "augment")
        ),
        **{key: int_entry("recipe", page, key) for key in numbers if key in page},
    )


def _frozen(page: Mapping[str, object]) -> FrozenRecipe:
    only_known("recipe", page, "name", "kind", "extractors", "head", "sides_px", "seed")
    named = entry_list(page, "extractors")
    sides = entry_list({"sides_px": []} | dict(page), "sides_px")
    return FrozenRecipe(
        name=text_entry("recipe", page, "name"),
        extractors=tuple(text_entry("extractors", {"each": name}, "each") for name in named),
        head=named_table("head", page.get("head")),
        sides_px=tuple(int_entry("sides_px", {"each": side}, "each") for side in sides),
        seed=int_entry("recipe", page, "seed") if "seed" in page else 0,
    )


def _ensemble(page: Mapping[str, object]) -> EnsembleRecipe:
    only_known("recipe", page, "name", "kind", "member", "fusion", "seed")
    fusion = text_entry("recipe", page, "fusion") if "fusion" in page else "learned"
    if fusion not in get_args(MemberFusion):
        raise SpecError(f"fusion is {fusion!r}; {nearest(fusion, get_args(MemberFusion))}")
    return EnsembleRecipe(
        name=text_entry("recipe", page, "name"),
        members=tuple(_member(mapping("member", each)) for each in entry_list(page, "member")),
        fusion=fusion,  # type: ignore[arg-type]  # checked above
        seed=int_entry("recipe", page, "seed") if "seed" in page else 0,
    )


def _member(values: Mapping[str, object]) -> Member:
    only_known("member", values, "recipe", "extractor")
    return Member(text_entry("member", values, "recipe"), text_entry("member", values, "extractor"))


def _terms(values: Mapping[str, object]) -> tuple[Term, ...]:
    terms = []
    for name, each in values.items():
        if name not in LOSSES:
            raise SpecError(f"losses: unknown loss {name!r}; {nearest(name, LOSSES)}")
        settings = dict(mapping(f"losses.{name}", each))
        weight = number_entry(f"losses.{name}.weight", settings.pop("weight", 1.0))
        terms.append(Term(name, weight, read_settings(f"losses.{name}", settings, LOSSES[name])))
    return tuple(terms)


def _optimiser(values: Mapping[str, object]) -> Optimiser:
    keys = ("old_rate", "new_rate", "weight_decay", "clip")
    only_known("optimiser", values, *keys)
    return Optimiser(*(number_entry(f"optimiser.{key}", values.get(key)) for key in keys))


_KINDS: Mapping[str, Callable[[Mapping[str, object]], Recipe]] = {
    "network": _network,
    "frozen": _frozen,
    "ensemble": _ensemble,
}
