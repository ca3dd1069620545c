"""A recipe of recipes: each member is a run of its own, and their networks become one extractor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cbir.errors import ItemsError, SpecError
from cbir.extractors.spec import FusionSpec
from cbir.training.frozen import JoinedExtractors, join_named
from cbir.training.recipe import NetworkRecipe, read_recipe
from cbir.training.run.publish import Made, publish

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cbir.extractors.fitting.fusion_weights import LearnedWeights
    from cbir.images.steps import JSON
    from cbir.training.material import Material
    from cbir.training.recipe import EnsembleRecipe
    from cbir.training.run.folder import RunFolder
    from cbir.training.run.options import RunOptions, Watcher
    from cbir.training.run.plan import Planned

_MEMBERS = "members"
_LEAST = 2


def member_recipes(recipe: EnsembleRecipe) -> tuple[NetworkRecipe, ...]:
    """Read the members' recipes, each with its start; the seeds count up from the ensemble's.

    So two members of one recipe and one start are still two trainings.

    Raises:
        SpecError: one makes no sense, or trains no network.
    """
    found = []
    for number, member in enumerate(recipe.members):
        its = read_recipe(member.recipe)
        if not isinstance(its, NetworkRecipe):
            raise SpecError(
                f"Recipe {recipe.name!r}: member {member.recipe!r} is of the kind "
                f"{its.to_dict()['kind']!r}; a member trains a network, as advanced-finetune does."
            )
        found.append(replace(its, extractor=member.extractor, seed=recipe.seed + number))
    return tuple(found)


def check_fusion(recipe: EnsembleRecipe, material: Material) -> None:
    """See that the weights can be learned from the validation part, where the recipe learns them.

    Raises:
        ItemsError: they can't.
    """
    groups: dict[int, set[str]] = {}
    for row in material.rows("val"):
        groups.setdefault(int(material.codes[row]), set()).add(material.groups[row])
    most = max(map(len, groups.values()), default=0)
    if recipe.fusion == "learned" and (len(groups) < _LEAST or most < _LEAST):
        raise ItemsError(
            f"{material.source}: val has {len(groups)} classes, with at most {most} groups in one. Fusion "
            f"weights are learned from {_LEAST} classes, {_LEAST} groups in one of them. Put more patients "
            'into val, or write fusion = "l2" in the recipe.'
        )


def join_members(recipe: EnsembleRecipe, extractors: Sequence[str], options: RunOptions) -> JoinedExtractors:
    """Join one extractor a member, each counting as much as any other; ``raw`` where the recipe says so.

    Raises:
        CbirError: as ``join_named``.
    """
    joined = join_named(recipe.name, extractors, offline=options.offline, store=options.store)
    return _fused(joined, FusionSpec("raw", (1.0,) * len(extractors))) if recipe.fusion == "raw" else joined


def member_folders(recipe: EnsembleRecipe, run: RunFolder) -> tuple[Path, ...]:
    """Where the members' runs lie: numbered, and named by what they start from."""
    names = [Path(member.extractor).name.removesuffix(".toml") for member in recipe.members]
    return tuple(run.path / _MEMBERS / f"{number}-{name}" for number, name in enumerate(names, 1))


def train_members(
    recipe: EnsembleRecipe,
    members: Sequence[Planned],
    run: RunFolder,
    watch: Watcher,
    train_member: Callable[[Planned, Path], object],
) -> None:
    """Train the members that are not finished, in all processes.

    Args:
        recipe: of recipes.
        members: planned.
        run: the ensemble's folder; theirs lie in it.
        watch: told how it goes.
        train_member: trains one in a folder, going on with what is there, unless it is finished.

    Raises:
        CbirError: a member can't be trained, or is another one's.
    """
    for member, folder in zip(members, member_folders(recipe, run), strict=True):
        watch.begin(f"member {folder.name}", None)
        train_member(member, folder)


def join_trained(
    recipe: EnsembleRecipe, material: Material, run: RunFolder, *, options: RunOptions, watch: Watcher
) -> Mapping[str, JSON]:
    """Join the trained members, and publish the whole.

    Returns:
        How the members were joined.

    Raises:
        CbirError: nothing can be learned from what could be read of the validation part.
        OSError: the disk refused.
    """
    folders = member_folders(recipe, run)
    joined = join_members(recipe, [str(folder) for folder in folders], options)
    chosen: dict[str, JSON] = {"fusion": recipe.fusion}
    if recipe.fusion == "learned":
        learned = _learn(recipe, joined, material, options, watch)
        joined = _fused(joined, FusionSpec("score", learned.weights))
        shares = zip(folders, learned.weights, strict=True)
        chosen |= {f"weight of {folder.name}": weight for folder, weight in shares}
        chosen |= {"log likelihood": learned.likelihood, "with equal weights": learned.equal_likelihood}
    files = tuple(file.path if file else None for file in joined.resolved.files)
    made = Made(joined.spec, joined.sources, files)
    publish(run.path, made, remarks=[f"Trained by cbir train {recipe.name}: see card.md. Research use only."])
    return chosen


def _fused(joined: JoinedExtractors, fusion: FusionSpec) -> JoinedExtractors:
    return replace(joined, resolved=replace(joined.resolved, spec=replace(joined.spec, fusion=fusion)))


def _learn(
    recipe: EnsembleRecipe, joined: JoinedExtractors, material: Material, options: RunOptions, watch: Watcher
) -> LearnedWeights:
    """Weigh the trained members by what the validation part says of them."""
    from cbir.extractors.fitting.branches import branch_rows
    from cbir.extractors.fitting.fusion_weights import learn_fusion_weights
    from cbir.training.material_vectors import embed_material

    seen = embed_material(joined.resolved, material.take(material.rows("val")), options, watch)
    check_fusion(recipe, seen.material)
    return learn_fusion_weights(
        branch_rows(joined.spec, seen.vectors),
        [seen.material.classes[code] for code in seen.material.codes],
        seen.material.groups,
        seed=recipe.seed,
    )
