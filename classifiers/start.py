"""Where a classifier begins: the networks of an extractor, or another classifier's run. Without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cbir.errors import SpecError, WeightsError
from cbir.extractors.build import resolve_extractor
from cbir.extractors.weights import WeightsFile, local_weights
from cbir.images.steps import Resize
from cbir.training.loop.start import at_side
from cbir.training.settings import read_settings
from classifiers.folder import SPEC_FILE, WEIGHTS_FILE, read_spec
from classifiers.networks import NETWORKS
from classifiers.spec import plain_backbone

if TYPE_CHECKING:
    from cbir.extractors.spec import BranchSpec, ExtractorSpec
    from cbir.extractors.weights import WeightsStore
    from cbir.images.settings import ReadSpec
    from cbir.images.steps import Step
    from cbir.training.recipe.entry import Named
    from cbir.training.settings import Value
    from classifiers.spec import ClassifierSpec


@dataclass(frozen=True, slots=True)
class ClassifierStart:
    """What a classifier begins with.

    Args:
        name: for people.
        backbones: of the new classifier's spec.
        read: how a file becomes pixels.
        preprocess: of the pixels, at the side that was asked for.
        descriptors: handcrafted branches.
        branches: of the networks, each with its weights file; none where it begins with a classifier.
        classifier: the spec of the classifier that it begins with; None where it begins with an extractor.
        weights: the files, one a branch, or the classifier's.
    """

    name: str
    backbones: tuple[str, ...]
    read: ReadSpec
    preprocess: tuple[Step, ...]
    descriptors: tuple[BranchSpec, ...]
    branches: tuple[BranchSpec, ...]
    classifier: ClassifierSpec | None
    weights: tuple[WeightsFile, ...]

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(3, height, width) of the pixels."""
        resize = [step for step in self.preprocess if isinstance(step, Resize)][-1]
        return 3, resize.height_px, resize.width_px


def find_start(
    network: Named,
    start: str | Path,
    *,
    side_px: int | None = None,
    weights: Path | None = None,
    offline: bool = False,
    store: WeightsStore | None = None,
) -> ClassifierStart:
    """Find what a classifier begins with, and its weights.

    Args:
        network: that is to be trained.
        start: an extractor's preset, page or run; or the folder of a classifier's run, of the same network.
        side_px: of the pixels, in place of the start's.
        weights: a file in place of the extractor's.
        offline: never open a connection.
        store: the user's own folder of weights, looked in first.

    Raises:
        BackendError: the hub can't be reached.
        SpecError: the start makes no sense, or not for this network.
        WeightsError: a file is missing, unreachable, or not the pinned one.
    """
    if (Path(start) / SPEC_FILE).is_file():
        return _from_run(network, Path(start), side_px, weights)
    resolved = resolve_extractor(start, weights=weights, offline=offline, store=store)
    return _from_extractor(resolved.spec, resolved.files, side_px)


def _from_extractor(
    spec: ExtractorSpec, files: tuple[WeightsFile | None, ...], side_px: int | None
) -> ClassifierStart:
    if spec.tiles or spec.slides:
        raise SpecError(
            f"Extractor {spec.name!r} looks at parts of an image, a classifier at the whole; start from an "
            "extractor without tiles."
        )
    descriptors = tuple(branch for branch in spec.branches if branch.is_handcrafted)
    branches = tuple(at_side(branch, side_px) for branch in spec.branches if not branch.is_handcrafted)
    if not branches:
        raise SpecError(f"Extractor {spec.name!r} has no network, only descriptors; start from one that has.")
    for branch in branches[1:]:
        if branch.preprocess != branches[0].preprocess:
            raise SpecError(
                f"Extractor {spec.name!r}: {branches[0].backbone} and {branch.backbone} see images prepared "
                f"in two ways ({branches[0].input_shape[1]} and {branch.input_shape[1]} px), in a classifier "
                "all see the same; set side_px to one that fits both, as 518."
            )
    return ClassifierStart(
        name=spec.name,
        backbones=tuple(plain_backbone(branch.backbone) for branch in branches),
        read=spec.read,
        preprocess=branches[0].preprocess,
        descriptors=descriptors,
        branches=branches,
        classifier=None,
        weights=tuple(file for file in files if file is not None),
    )


def _from_run(network: Named, folder: Path, side_px: int | None, weights: Path | None) -> ClassifierStart:
    spec = read_spec(folder)
    if weights is not None:
        raise SpecError(f"Classifier {folder} brings its weights; leave out --weights {weights}.")
    if _said(spec.network) != _said(network):
        raise SpecError(
            f"Classifier {folder} is {spec.network.to_dict()}, the recipe trains {network.to_dict()}; start "
            "from a run of the same network, or from an extractor."
        )
    path = folder / WEIGHTS_FILE
    found = local_weights(path, name=spec.weights.name, license_name=spec.weights.license)
    if found.ref.sha256 != spec.weights.sha256:
        raise WeightsError(
            f"Weights {path} have sha256 {found.ref.sha256}, {SPEC_FILE} says {spec.weights.sha256}; the run "
            "was changed: train it anew."
        )
    return ClassifierStart(
        name=spec.name,
        backbones=spec.backbones,
        read=spec.read,
        preprocess=at_side(spec.branch, side_px).preprocess,
        descriptors=spec.descriptors,
        branches=(),
        classifier=spec,
        weights=(found,),
    )


def _said(network: Named) -> tuple[str, dict[str, Value]]:
    """A network with the settings that its page leaves out."""
    return network.name, read_settings("network", network.settings, NETWORKS[network.name])
