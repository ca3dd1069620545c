"""Where a training of a network begins: one network with its weights and its preprocessing. Without torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cbir.errors import SpecError
from cbir.extractors.backbone_name import BackboneName
from cbir.extractors.build import resolve_extractor
from cbir.images.steps import Resize

if TYPE_CHECKING:
    from pathlib import Path

    from cbir.extractors.spec import BranchSpec, ExtractorSpec
    from cbir.extractors.weights import WeightsFile, WeightsStore
    from cbir.training.recipe import NetworkRecipe


@dataclass(frozen=True, slots=True)
class Start:
    """An extractor of one network.

    Args:
        spec: the extractor's, as it is before.
        branch: the network's, with the side that the recipe asks for.
        weights: its file.
    """

    spec: ExtractorSpec
    branch: BranchSpec
    weights: WeightsFile

    @property
    def name(self) -> BackboneName:
        """The backbone's name, with its arguments."""
        return BackboneName.parse(self.branch.backbone)


def find_start(
    recipe: NetworkRecipe,
    *,
    weights: Path | None = None,
    offline: bool = False,
    store: WeightsStore | None = None,
) -> Start:
    """Find a recipe's start extractor and its weights.

    Args:
        recipe: names the extractor, and perhaps another side.
        weights: used instead of the extractor's.
        offline: never open a connection.
        store: the user's own folder of weights, looked in first.

    Raises:
        BackendError: the hub can't be reached.
        SpecError: the extractor makes no sense, or is more or less than one network.
        WeightsError: a file is missing, unreachable, or not the pinned one.
    """
    resolved = resolve_extractor(recipe.extractor, weights=weights, offline=offline, store=store)
    spec, file = resolved.spec, resolved.files[0]
    if len(spec.branches) != 1 or file is None:
        kinds = ", ".join(branch.backbone for branch in spec.branches)
        raise SpecError(
            f"Extractor {recipe.extractor} can't be trained as one network: it is {kinds}. Start from one "
            "with a single timm network, or train its members with the recipe super-ensemble."
        )
    return Start(spec, at_side(spec.branches[0], recipe.side_px), file)


def at_side(branch: BranchSpec, side_px: int | None) -> BranchSpec:
    """A branch whose images are brought to another side; None leaves it."""
    if side_px is None:
        return branch
    steps = [
        replace(step, height_px=side_px, width_px=side_px) if isinstance(step, Resize) else step
        for step in branch.preprocess
    ]
    return replace(branch, preprocess=tuple(steps))
