"""Recipes by name, as a command shows and finds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.exit_codes import UsageProblem
from cli.renderers.table import columns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def recipe_list(recipes: Mapping[str, Path]) -> str:
    """Every recipe, with the first words of its page."""
    rows = []
    for name, path in recipes.items():
        first = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix(f"# {name}: ")
        rows.append([name, first.partition(". ")[0].rstrip(".")])
    return columns([["recipe", "what"], *rows])


def check_recipe(recipe: str, recipes: Mapping[str, Path]) -> None:
    """See that a recipe is a known one, or a page.

    Raises:
        UsageProblem: it is neither.
    """
    if recipe not in recipes and not recipe.endswith(".toml"):
        raise UsageProblem(f"{recipe!r} is no recipe and no .toml file; there are {', '.join(recipes)}.")
