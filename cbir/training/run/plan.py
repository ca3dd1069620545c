"""From a recipe and material to what will be done: everything that can be known before anything expensive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbir.errors import SpecError
from cbir.training.loop.start import Start, find_start
from cbir.training.recipe import EnsembleRecipe, FrozenRecipe
from cbir.training.run.begun import begun_with

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbir.extractors.spec import ExtractorSpec
    from cbir.training.frozen import JoinedExtractors
    from cbir.training.material import Material
    from cbir.training.recipe import Recipe
    from cbir.training.run.begun import Begun
    from cbir.training.run.options import RunOptions


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """A training that can begin: its images do, and its weights are there.

    Args:
        recipe: with whatever was changed in it.
        material: as read.
        start: what it starts from; of an ensemble the members' starts, joined as they will be, unweighted.
        notes: on what is possible, but poorer for it.
        members: of an ensemble, each a training of its own.
    """

    recipe: Recipe
    material: Material
    start: Start | JoinedExtractors
    notes: tuple[str, ...]
    members: tuple[Planned, ...] = ()

    @property
    def start_spec(self) -> ExtractorSpec:
        """Of what it starts from."""
        return self.start.spec

    @property
    def begun(self) -> Begun:
        """What a run of it may be gone on with by."""
        return begun_with(self.recipe.sha256, self.material, self.start_spec.fingerprint)


def plan_training(recipe: Recipe, material: Material, options: RunOptions) -> Planned:
    """See that a training can begin, before anything expensive.

    Raises:
        BackendError: the hub can't be reached.
        ItemsError: not with these images.
        SpecError: the recipe makes no sense with its start.
        WeightsError: the start's weights are missing, or not the pinned ones.
    """
    if isinstance(recipe, EnsembleRecipe):
        return _plan_ensemble(recipe, material, options)
    if isinstance(recipe, FrozenRecipe):
        from cbir.training.frozen import join_extractors
        from cbir.training.preflight import check_material

        _refuse_weights(recipe, recipe.extractors, options)
        notes = check_material(material)
        joined = join_extractors(recipe, offline=options.offline, store=options.store)
        return Planned(recipe, material, joined, notes)
    from cbir.training.run.of_network import check_network

    notes = check_network(recipe, material)
    start = find_start(recipe, weights=options.weights, offline=options.offline, store=options.store)
    return Planned(recipe, material, start, notes)


def _plan_ensemble(recipe: EnsembleRecipe, material: Material, options: RunOptions) -> Planned:
    from cbir.training.run.of_ensemble import check_fusion, join_members, member_recipes

    extractors = [member.extractor for member in recipe.members]
    _refuse_weights(recipe, extractors, options)
    members = tuple(plan_training(each, material, options) for each in member_recipes(recipe))
    check_fusion(recipe, material)
    notes = dict.fromkeys(line for each in members for line in each.notes)
    return Planned(recipe, material, join_members(recipe, extractors, options), tuple(notes), members)


def _refuse_weights(recipe: Recipe, extractors: Sequence[str], options: RunOptions) -> None:
    if options.weights is not None:
        raise SpecError(
            f"Recipe {recipe.name!r} starts from {', '.join(extractors)}, but --weights names one file; name "
            'it in a page of TOML: source = "file:…", and the page as a start.'
        )
