"""A DenseNet whose dense blocks are each followed by a squeeze-and-excitation."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, cast

import torch
from timm.layers.squeeze_excite import SEModule
from torch import Tensor, nn

from cbir.errors import SpecError
from classifiers.networks.backbone import Backbone
from classifiers.networks.network import ClassifierNetwork

if TYPE_CHECKING:
    from collections.abc import Sequence

    from classifiers.networks.backbone import Seen

_RATIO = 1 / 16
_BLOCK = "denseblock"


class PooledHead(nn.Module):
    """The first backbone's pooled vector, as it is."""

    def forward(self, seen: Sequence[Seen], _described: Tensor | None = None) -> Tensor:
        """Give (B, D)."""
        return seen[0].pooled


def se_densenet(
    model: nn.Module, name: str, n_classes: int, input_shape: tuple[int, int, int]
) -> ClassifierNetwork:
    """Make the network; the excitations and the last layer are drawn at random.

    Args:
        model: a DenseNet of timm, without a classifier; changed in place. Its tensors keep their names.
        name: of the model, in errors.
        n_classes: of the labels.
        input_shape: (3, H, W).

    Raises:
        SpecError: the model is no DenseNet.

    Source: arXiv 2404.09226; Hu et al., CVPR 2018, section 3.
    """
    features = getattr(model, "features", None)
    blocks = [each for each, _ in features.named_children()] if isinstance(features, nn.Sequential) else []
    if not any(each.startswith(_BLOCK) for each in blocks):
        raise SpecError(f"se-densenet stands on a DenseNet, and {name} is none; take timm:densenet121.")
    added = _squeezed(model, input_shape)
    dim = int(cast("int", model.num_features))
    return ClassifierNetwork(
        [Backbone(model, name)],
        PooledHead(),
        dim=dim,
        n_classes=n_classes,
        input_shape=input_shape,
        added=added,
    )


def _squeezed(model: nn.Module, input_shape: tuple[int, int, int]) -> list[nn.Module]:
    """Put an ``SEModule`` behind each dense block; give them."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    added: list[nn.Module] = []
    with torch.no_grad():  # in inference mode the new weights could never learn
        pixels = torch.zeros(1, *input_shape)
        for name, layer in cast("nn.Sequential", model.features).eval().named_children():
            pixels = layer(pixels)
            layers[name] = layer
            if name.startswith(_BLOCK):
                added.append(SEModule(pixels.shape[1], rd_ratio=_RATIO))
                layers[name.replace(_BLOCK, "se")] = added[-1]
    model.features = nn.Sequential(layers)
    return added
