"""A network with weights: one that is to be trained, or one that was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.extractors.checkpoint import read_checkpoint
from classifiers.folder import WEIGHTS_FILE, read_spec
from classifiers.networks.create import create_network, start_from_branches, start_from_classifier

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cbir.training.recipe.entry import Named
    from classifiers.networks.network import ClassifierNetwork
    from classifiers.start import ClassifierStart


def start_network(
    start: ClassifierStart,
    network: Named,
    classes: Sequence[str],
    *,
    seed: int = 0,
    allow_pickle: bool = False,
) -> ClassifierNetwork:
    """Build the network that a recipe trains, in eval mode; what is new in it is drawn by the seed.

    Of a classifier that it begins with, all is taken; where the classes are others, the last layer is new.

    Args:
        start: as found.
        network: of the recipe.
        classes: in their order.
        seed: of what is new.
        allow_pickle: also read weights that are PyTorch pickles; pinned ones are read anyway.

    Raises:
        SpecError: the backbones do not go with the network.
        WeightsError: weights refused, damaged, or of another network.
    """
    made = create_network(
        network,
        start.backbones,
        len(classes),
        start.input_shape,
        n_described=sum(each.dim for each in start.descriptors),
        seed=seed,
    )
    files = [(read_checkpoint(f.path, allow_pickle=allow_pickle or f.pinned), f) for f in start.weights]
    if start.classifier is None:
        pairs = zip(start.branches, files, strict=True)
        start_from_branches(made, [(branch, tensors, str(f.path)) for branch, (tensors, f) in pairs])
        return made
    tensors, file = files[0]
    keeps_last = start.classifier.classes == tuple(classes)
    start_from_classifier(made, tensors, source=str(file.path), keeps_last=keeps_last)
    return made


def load_network(folder: Path) -> ClassifierNetwork:
    """Build a trained classifier's network in eval mode, for what an exported one can't do: gradients.

    Args:
        folder: of the classifier.

    Raises:
        SpecError: it is no classifier.
        WeightsError: its weights are missing, or of another network.
    """
    spec = read_spec(folder)
    made = create_network(
        spec.network,
        spec.backbones,
        len(spec.classes),
        spec.branch.input_shape,
        n_described=spec.n_described,
    )
    path = folder / WEIGHTS_FILE
    start_from_classifier(made, read_checkpoint(path), source=str(path), keeps_last=True)
    return made
