"""A recipe with some settings of this run in place of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cbir.errors import SpecError
from cbir.training.recipe import FrozenRecipe, NetworkRecipe

if TYPE_CHECKING:
    from cbir.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a run may say otherwise than its recipe; None leaves it.

    Args:
        start: extractors that it starts from; of a network one.
        epochs: at most.
        batch: images in a batch.
        seed: of everything that is drawn.
    """

    start: tuple[str, ...] = ()
    epochs: int | None = None
    batch: int | None = None
    seed: int | None = None

    def applied(self, recipe: Recipe) -> Recipe:
        """The recipe as this run has it.

        Raises:
            SpecError: the recipe has no such setting, or it makes no sense there.
        """
        if self.seed is not None:
            recipe = replace(recipe, seed=self.seed)
        if isinstance(recipe, NetworkRecipe):
            return self._of_network(recipe)
        for option, value in (("epochs", self.epochs), ("batch", self.batch)):
            if value is not None:
                raise SpecError(f"Recipe {recipe.name!r} has no {option}. Leave out --{option}.")
        if not self.start:
            return recipe
        if not isinstance(recipe, FrozenRecipe):
            raise SpecError(
                f"Recipe {recipe.name!r} names a start for each member. Write your own page in place of "
                "--start."
            )
        return replace(recipe, extractors=self.start)

    def _of_network(self, recipe: NetworkRecipe) -> NetworkRecipe:
        if len(self.start) > 1:
            raise SpecError(
                f"Recipe {recipe.name!r} starts from one extractor, not {len(self.start)}: "
                f"{', '.join(self.start)}."
            )
        return replace(
            recipe,
            extractor=self.start[0] if self.start else recipe.extractor,
            epochs=self.epochs or recipe.epochs,
            batches=replace(recipe.batches, size=self.batch) if self.batch else recipe.batches,
        )
