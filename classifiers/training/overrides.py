"""A recipe with some settings of this run in place of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classifiers.recipe import ClassifierRecipe


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a run may say otherwise than its recipe; None leaves it.

    Args:
        start: an extractor, or the run of a classifier, that it starts from.
        epochs: at most, of each stage.
        batch: images in a batch.
        seed: of everything that is drawn.
    """

    start: str | None = None
    epochs: int | None = None
    batch: int | None = None
    seed: int | None = None

    def applied(self, recipe: ClassifierRecipe) -> ClassifierRecipe:
        """The recipe as this run has it.

        Raises:
            SpecError: a setting makes no sense there.
        """
        stages = recipe.stages
        if self.epochs is not None:
            stages = tuple(replace(stage, epochs=min(stage.epochs, self.epochs)) for stage in stages)
        return replace(
            recipe,
            extractor=self.start or recipe.extractor,
            stages=stages,
            batches=replace(recipe.batches, size=self.batch) if self.batch else recipe.batches,
            seed=recipe.seed if self.seed is None else self.seed,
        )
