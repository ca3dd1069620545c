"""A network by its name, with random weights, those of extractors' backbones, or those of a classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from cbir.errors import SpecError
from cbir.extractors.backbone import PooledBackbone, build_backbone
from cbir.extractors.filling import fill
from cbir.extractors.heads import HeadedBackbone
from cbir.extractors.timm_model import create_timm
from cbir.training.seeds import drawn_from
from cbir.training.settings import read_settings
from classifiers.networks import NETWORKS
from classifiers.networks.backbone import strip_unused
from classifiers.networks.dal_hybrid import dal_hybrid
from classifiers.networks.hybrid_fusion import hybrid_fusion
from classifiers.networks.network import ClassifierNetwork
from classifiers.networks.se_densenet import se_densenet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbir.extractors.spec import BranchSpec
    from cbir.training.recipe.entry import Named

_LAST = "classifier."


def create_network(
    network: Named,
    backbones: Sequence[str],
    n_classes: int,
    input_shape: tuple[int, int, int],
    *,
    n_described: int = 0,
    seed: int = 0,
) -> ClassifierNetwork:
    """Make a network in eval mode, all of it drawn by the seed.

    Args:
        network: of ``NETWORKS``, with its settings.
        backbones: as ``BackboneName`` writes them; several only for hybrid-fusion.
        n_classes: of the labels.
        input_shape: (3, H, W) of the pixels.
        n_described: numbers of the descriptors.
        seed: of the weights.

    Raises:
        SpecError: a backbone that timm does not know, or that does not go with the network.
    """
    settings = read_settings("network", network.settings, NETWORKS[network.name])
    if network.name != "hybrid-fusion" and (len(backbones) != 1 or n_described):
        there = f"{', '.join(backbones)}{f' and {n_described} described numbers' if n_described else ''}"
        raise SpecError(f"{network.name} stands on one network alone, and there is {there}.")
    with drawn_from(seed):
        models = [(create_timm(each), each) for each in backbones]
        if network.name == "dal-hybrid":
            made = dal_hybrid(*models[0], n_classes, input_shape, scales=str(settings["scales"]))
        elif network.name == "se-densenet":
            made = se_densenet(*models[0], n_classes, input_shape)
        else:
            made = hybrid_fusion(models, n_classes, input_shape, n_described=n_described)
    for backbone in made.eval().backbones:
        strip_unused(backbone, input_shape)
    return made


def start_from_branches(
    network: ClassifierNetwork, starts: Sequence[tuple[BranchSpec, Mapping[str, Tensor], str]]
) -> None:
    """Give the backbones the weights of an extractor's branches; heads that the branches have fall away.

    Args:
        network: with as many backbones.
        starts: of each backbone in its order: the branch, its tensors, and what names them in errors.

    Raises:
        SpecError: the branch makes no network.
        WeightsError: tensors missing, left over or of another shape.
    """
    for backbone, (branch, tensors, source) in zip(network.backbones, starts, strict=True):
        model = backbone.get_submodule("model")
        own, found = model.state_dict(), _bare(build_backbone(branch, tensors, source=source)).state_dict()
        kept = own | {name: tensor for name, tensor in found.items() if name in own}
        fill(model, kept, (), f"Weights {source} do not fit {branch.backbone}")


def start_from_classifier(
    network: ClassifierNetwork, tensors: Mapping[str, Tensor], *, source: str, keeps_last: bool
) -> None:
    """Give a network the weights of a classifier of the same kind.

    Args:
        network: to fill.
        tensors: as its ``state_dict`` has them.
        source: names them in errors.
        keeps_last: whether its classes are the same; else the last layer stays new.

    Raises:
        WeightsError: tensors missing, left over or of another shape.
    """
    own = network.state_dict()
    if not keeps_last:
        tensors = {
            name: own[name] if name.startswith(_LAST) and name in own else tensor
            for name, tensor in tensors.items()
        }
    fill(network, tensors, (), f"Weights {source} do not fit the classifier")


def _bare(network: nn.Module) -> nn.Module:
    """What stands under an extractor's pooling and head."""
    while isinstance(network, HeadedBackbone | PooledBackbone):
        network = network.backbone
    return network
