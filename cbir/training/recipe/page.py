"""A recipe's page: named ones that come with cbir, and a user's own file in the same format."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, get_args

from cbir.errors import SpecError
from cbir.extractors.entries import entry_list, int_entry, mapping, number_entry, text_entry
from cbir.nearest import nearest
from cbir.training.losses import LOSSES
from cbir.training.recipe.ensemble import EnsembleRecipe, Member, MemberFusion
from cbir.training.recipe.entry import Named
from cbir.training.recipe.frozen import FrozenRecipe
from cbir.training.recipe.network import Batches, NetworkRecipe, Optimiser, Term
from cbir.training.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cbir.images.steps import JSON

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
    path = RECIPES.get(str(name_or_toml), Path(name_or_toml))
    if path.suffix != ".toml":
        raise SpecError(
            f"Recipe {str(name_or_toml)!r} is none of cbir's and no .toml file; "
            f"{nearest(str(name_or_toml), RECIPES)}"
        )
    try:
        return recipe_of(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise SpecError(f"Recipe {path} can't be read: {error}.") from error
    except SpecError as error:
        raise SpecError(f"Recipe {path}: {error}") from error


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
    _only(
        *("recipe", page, "name", "kind", "extractor", "head", "epochs", "patience", "seed"),
        *("cache_px", "side_px", "augment", "batches", "optimiser", "losses"),
    )
    numbers = ("epochs", "patience", "seed", "cache_px", "side_px")
    return NetworkRecipe(
        name=text_entry("recipe", page, "name"),
        extractor=text_entry("recipe", page, "extractor"),
        head=text_entry("recipe", page, "head") if "head" in page else "",
        losses=_terms(mapping("losses", page.get("losses"))),
        batches=_batches(mapping("batches", page.get("batches"))),
        optimiser=_optimiser(mapping("optimiser", page.get("optimiser"))),
        augment=tuple(
            _named("augment", each) for each in entry_list({"augment": []} | dict(page), "augment")
        ),
        **{key: int_entry("recipe", page, key) for key in numbers if key in page},
    )


def _frozen(page: Mapping[str, object]) -> FrozenRecipe:
    _only("recipe", page, "name", "kind", "extractors", "head", "sides_px", "seed")
    named = entry_list(page, "extractors")
    sides = entry_list({"sides_px": []} | dict(page), "sides_px")
    return FrozenRecipe(
        name=text_entry("recipe", page, "name"),
        extractors=tuple(text_entry("extractors", {"each": name}, "each") for name in named),
        head=_named("head", page.get("head")),
        sides_px=tuple(int_entry("sides_px", {"each": side}, "each") for side in sides),
        seed=int_entry("recipe", page, "seed") if "seed" in page else 0,
    )


def _ensemble(page: Mapping[str, object]) -> EnsembleRecipe:
    _only("recipe", page, "name", "kind", "member", "fusion", "seed")
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
    _only("member", values, "recipe", "extractor")
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


def _batches(values: Mapping[str, object]) -> Batches:
    _only("batches", values, "size", "per_class")
    per_class = int_entry("batches", values, "per_class") if "per_class" in values else None
    return Batches(int_entry("batches", values, "size"), per_class)


def _optimiser(values: Mapping[str, object]) -> Optimiser:
    keys = ("old_rate", "new_rate", "weight_decay", "clip")
    _only("optimiser", values, *keys)
    return Optimiser(*(number_entry(f"optimiser.{key}", values.get(key)) for key in keys))


def _named(what: str, value: object) -> Named:
    """A table with a name; what settings fit it is known where it is made."""
    settings: dict[str, JSON] = dict(mapping(what, value))  # type: ignore[arg-type]  # TOML's values are JSON's
    name = text_entry(what, settings, "name")
    return Named(name, {key: each for key, each in settings.items() if key != "name"})


def _only(what: str, values: Mapping[str, object], *known: str) -> None:
    """Refuse a key that is not known, with what it holds and the key that was probably meant."""
    for key, value in values.items():
        if key not in known:
            raise SpecError(f"{what}: unknown key {key!r} = {value!r}; {nearest(key, known)}")


_KINDS: Mapping[str, Callable[[Mapping[str, object]], Recipe]] = {
    "network": _network,
    "frozen": _frozen,
    "ensemble": _ensemble,
}
