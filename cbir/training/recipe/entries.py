"""What the pages of all recipes are read with."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cbir.errors import SpecError
from cbir.extractors.entries import int_entry, mapping, text_entry
from cbir.nearest import nearest
from cbir.training.recipe.entry import Named
from cbir.training.recipe.network import Batches

if TYPE_CHECKING:
    from cbir.images.steps import JSON

_Read = TypeVar("_Read")


def read_page(
    name_or_toml: str | Path, recipes: Mapping[str, Path], read: Callable[[Mapping[str, object]], _Read]
) -> _Read:
    """Read a named recipe's page, or a TOML file in the same format.

    Args:
        name_or_toml: a key of ``recipes``, or a path.
        recipes: every named recipe's page.
        read: makes a recipe of a page.

    Raises:
        SpecError: no such recipe or file, not TOML, or it makes no sense; names the file.
    """
    path = recipes.get(str(name_or_toml), Path(name_or_toml))
    if path.suffix != ".toml":
        raise SpecError(
            f"Recipe {str(name_or_toml)!r} is none of cbir's and no .toml file; "
            f"{nearest(str(name_or_toml), recipes)}"
        )
    try:
        return read(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise SpecError(f"Recipe {path} can't be read: {error}.") from error
    except SpecError as error:
        raise SpecError(f"Recipe {path}: {error}") from error


def batches_table(values: Mapping[str, object]) -> Batches:
    """Read the table ``batches``.

    Raises:
        SpecError: it makes no sense.
    """
    only_known("batches", values, "size", "per_class")
    per_class = int_entry("batches", values, "per_class") if "per_class" in values else None
    return Batches(int_entry("batches", values, "size"), per_class)


def named_table(what: str, value: object) -> Named:
    """Read a table with a name; what settings fit it is known where it is made.

    Raises:
        SpecError: no table, or without a name.
    """
    settings: dict[str, JSON] = dict(mapping(what, value))  # type: ignore[arg-type]  # TOML's values are JSON's
    name = text_entry(what, settings, "name")
    return Named(name, {key: each for key, each in settings.items() if key != "name"})


def only_known(what: str, values: Mapping[str, object], *known: str) -> None:
    """Refuse a key that is not known, with what it holds and the key that was probably meant.

    Raises:
        SpecError: there is one.
    """
    for key, value in values.items():
        if key not in known:
            raise SpecError(f"{what}: unknown key {key!r} = {value!r}; {nearest(key, known)}")
