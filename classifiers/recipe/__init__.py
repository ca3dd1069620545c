"""Named trainings of classifiers: what decides the numbers of one, as frozen values and as a page of TOML."""

from classifiers.recipe.page import RECIPES, read_recipe, recipe_of
from classifiers.recipe.recipe import ClassifierRecipe
from classifiers.recipe.stage import Stage

__all__ = ["RECIPES", "ClassifierRecipe", "Stage", "read_recipe", "recipe_of"]
