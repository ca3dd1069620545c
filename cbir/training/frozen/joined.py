"""Several extractors as one: their branches side by side, at one size or several."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cbir.errors import SpecError
from cbir.extractors.build import ResolvedExtractor, resolve_extractor
from cbir.extractors.preset import read_preset
from cbir.extractors.spec import ExtractorSpec, FusionSpec
from cbir.images.steps import Resize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cbir.extractors.spec import BranchSpec
    from cbir.extractors.weights import WeightsFile, WeightsStore
    from cbir.training.recipe import FrozenRecipe


@dataclass(frozen=True, slots=True)
class JoinedExtractors:
    """What a light head stands on.

    Args:
        resolved: its spec has no projection; a weights file each branch.
        sources: one a branch, where its weights are, as a page says it; None for a descriptor.
    """

    resolved: ResolvedExtractor
    sources: tuple[str | None, ...]

    @property
    def spec(self) -> ExtractorSpec:
        """Without a projection."""
        return self.resolved.spec


@dataclass(frozen=True, slots=True)
class _Part:
    branch: BranchSpec
    weight: float
    file: WeightsFile | None
    source: str | None


def join_extractors(
    recipe: FrozenRecipe, *, offline: bool = False, store: WeightsStore | None = None
) -> JoinedExtractors:
    """Find a recipe's extractors and their weights, as ``join_named`` does."""
    return join_named(recipe.name, recipe.extractors, sides_px=recipe.sides_px, offline=offline, store=store)


def join_named(
    name: str,
    extractors: Sequence[str],
    *,
    sides_px: Sequence[int] = (),
    offline: bool = False,
    store: WeightsStore | None = None,
) -> JoinedExtractors:
    """Find extractors and their weights, side by side; torch is not imported.

    Each extractor counts as much as any other, and within it each branch what its page says. With several
    sides, a network is there once a side, and they share its weight.

    Args:
        name: of the whole.
        extractors: presets' names or pages of TOML.
        sides_px: each network sees the image at each of these; none takes what its page says.
        offline: never open a connection.
        store: the user's own folder of weights, looked in first.

    Raises:
        BackendError: the hub can't be reached.
        SpecError: an extractor makes no sense, has a projection already, or reads or cuts images in another
            way than the first.
        WeightsError: a file is missing, unreachable, or not the pinned one.
    """
    found = [resolve_extractor(each, offline=offline, store=store) for each in extractors]
    for each_name, each in zip(extractors, found, strict=True):
        _check(each_name, each.spec, extractors[0], found[0].spec, alone=len(found) == 1)
    parts = [
        part
        for each_name, each in zip(extractors, found, strict=True)
        for part in _parts(each_name, each, sides_px)
    ]
    first = found[0].spec
    method = first.fusion.method if len(found) == 1 else "l2"
    weights = (1.0,) * len(parts) if method == "raw" else tuple(part.weight for part in parts)
    spec = ExtractorSpec(
        name,
        first.read,
        tuple(part.branch for part in parts),
        FusionSpec(method, weights),
        first.tta,
        first.tiles,
    )
    files = tuple(part.file for part in parts)
    return JoinedExtractors(ResolvedExtractor(spec, files), tuple(part.source for part in parts))


def _check(name: str, spec: ExtractorSpec, first_name: str, first: ExtractorSpec, *, alone: bool) -> None:
    if spec.projection is not None:
        raise SpecError(
            f"Extractor {name} projects its vectors already ({spec.projection.name}), and here they are "
            "taken as its networks give them. Name the extractor that it was fitted on."
        )
    if spec.slides is not None or (spec.tiles is not None and spec.tiles.keep == "parts"):
        raise SpecError(f"Extractor {name} gives an image several vectors, and training takes one.")
    if not alone and spec.fusion.method != "l2":
        raise SpecError(
            f"Extractor {name} joins its branches by {spec.fusion.method!r}; beside others it must be 'l2'."
        )
    for what in ("read", "tta", "tiles"):
        mine, theirs = getattr(spec, what), getattr(first, what)
        if mine != theirs:
            raise SpecError(
                f"Extractor {name} has {what} = {mine}, {first_name} has {theirs}: joined, both must have "
                "the same. Write a page for one of them."
            )


def _parts(name: str, resolved: ResolvedExtractor, sides_px: Sequence[int]) -> list[_Part]:
    spec = resolved.spec
    planned = read_preset(name).branches
    length = math.hypot(*spec.fusion.weights)
    parts = []
    for branch, plan, weight, file in zip(
        spec.branches, planned, spec.fusion.weights, resolved.files, strict=True
    ):
        source = plan.weights.location if plan.weights else None
        sides = () if branch.is_handcrafted else tuple(sides_px)
        branches = [_at_side(branch, side_px) for side_px in sides] or [branch]
        share = weight / length / math.sqrt(len(branches))
        parts += [_Part(each, share, file, source) for each in branches]
    return parts


def _at_side(branch: BranchSpec, side_px: int) -> BranchSpec:
    steps = tuple(
        replace(step, height_px=side_px, width_px=side_px) if isinstance(step, Resize) else step
        for step in branch.preprocess
    )
    return replace(branch, preprocess=steps)
