"""From a recipe and material to what will be done: everything that can be known before anything expensive."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import ItemsError
from cbir.extractors.spec import BranchSpec
from cbir.images.steps import step_to_dict
from cbir.training.preflight import check_material
from cbir.training.recipe.entry import page_sha256
from cbir.training.run.begun import begun_with
from classifiers.start import find_start

if TYPE_CHECKING:
    from cbir.images.steps import Step
    from cbir.training.material import Material
    from cbir.training.run.begun import Begun
    from cbir.training.run.options import RunOptions
    from classifiers.recipe import ClassifierRecipe
    from classifiers.start import ClassifierStart

_N_SHOWN = 3


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """A training that can begin: its images do, and its weights are there.

    Args:
        recipe: with whatever was changed in it.
        material: as read.
        start: what it starts from, its pixels prepared as the recipe says.
        notes: on what is possible, but poorer for it.
    """

    recipe: ClassifierRecipe
    material: Material
    start: ClassifierStart
    notes: tuple[str, ...]

    @property
    def branch(self) -> BranchSpec:
        """The pixels that the networks see, and the first of them."""
        start = self.start
        return BranchSpec(
            start.backbones[0], start.weights[0].ref, start.preprocess, "model", len(self.material.classes)
        )

    @property
    def begun(self) -> Begun:
        """What a run of it may be gone on with by."""
        start = page_sha256(
            {
                "weights": [file.ref.sha256 for file in self.start.weights],
                "backbones": list(self.start.backbones),
                "read": dict(self.start.read.to_dict()),
                "preprocess": [step_to_dict(step) for step in self.start.preprocess],
                "descriptors": [branch.to_dict() for branch in self.start.descriptors],
            }
        )
        return begun_with(self.recipe.sha256, self.material, start)


def plan_training(recipe: ClassifierRecipe, material: Material, options: RunOptions) -> Planned:
    """See that a training can begin.

    Raises:
        BackendError: the hub can't be reached.
        ItemsError: not with these images.
        SpecError: the recipe makes no sense with its start.
        WeightsError: the start's weights are missing, or not the pinned ones.
    """
    notes = check_images(recipe, material)
    start = find_start(
        recipe.network,
        recipe.extractor,
        side_px=recipe.side_px,
        weights=options.weights,
        offline=options.offline,
        store=options.store,
    )
    prepared = replace(start, preprocess=_prepared(recipe, start.preprocess))
    return Planned(recipe, material, prepared, notes)


def check_images(recipe: ClassifierRecipe, material: Material) -> tuple[str, ...]:
    """See that the recipe can be followed with these images; notes on what is poorer for it.

    Raises:
        ItemsError: it can't.
    """
    if recipe.needs_order and not material.is_ordinal:
        shown = ", ".join(map(repr, material.classes[:_N_SHOWN]))
        raise ItemsError(
            f"{material.source}: recipe {recipe.name!r} takes grades, whole numbers, for its loss "
            f"{recipe.loss.name}, and the labels are {shown}. Name a column of grades with --label, or write "
            "a page of your own with the loss cross_entropy."
        )
    notes = check_material(
        material, classes_per_batch=recipe.batches.n_classes, images_per_class=recipe.batches.per_class
    )
    validation = material.codes[material.rows("val")]
    counts = np.bincount(validation, minlength=len(material.classes))
    if missing := [name for name, n in zip(material.classes, counts, strict=True) if not n]:
        raise ItemsError(
            f"{material.source}: none of the {len(validation)} images in val is "
            f"{' or '.join(map(repr, missing))}, and the epoch and the temperature are chosen there. Split "
            "again with another seed, add images, or leave that label empty."
        )
    return notes


def _prepared(recipe: ClassifierRecipe, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The start's steps after the recipe's, unless the start has them already: it is a run of the like."""
    if steps[: len(recipe.prepare)] != recipe.prepare:
        steps = (*recipe.prepare, *steps)
    return steps if recipe.normalise is None else (*steps[:-1], recipe.normalise)
