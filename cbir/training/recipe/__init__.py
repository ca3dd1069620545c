"""Named trainings: what decides the numbers of one, as frozen values and as a page of TOML."""

from cbir.training.recipe.ensemble import EnsembleRecipe, Member, MemberFusion
from cbir.training.recipe.entry import Named
from cbir.training.recipe.frozen import FrozenRecipe
from cbir.training.recipe.network import Batches, NetworkRecipe, Optimiser, Term
from cbir.training.recipe.page import RECIPES, Recipe, read_recipe, recipe_of

__all__ = [
    "RECIPES",
    "Batches",
    "EnsembleRecipe",
    "FrozenRecipe",
    "Member",
    "MemberFusion",
    "Named",
    "NetworkRecipe",
    "Optimiser",
    "Recipe",
    "Term",
    "read_recipe",
    "recipe_of",
]
