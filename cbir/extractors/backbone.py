"""A timm network with the weights of one file, ready to embed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from cbir.errors import SpecError, WeightsError
from cbir.extractors.backbone_name import BackboneName
from cbir.extractors.filling import fill
from cbir.extractors.heads import HeadedBackbone, create_head
from cbir.extractors.pooling import POOLINGS
from cbir.extractors.timm_model import create_timm
from cbir.extractors.weights import strip_prefix

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbir.extractors.spec import BranchSpec

_FEATURE_MAP_NDIM = 4


class PooledBackbone(nn.Module):
    """A backbone's last feature map, pooled: (B, 3, H, W) to (B, C)."""

    def __init__(self, backbone: nn.Module, pooling: str) -> None:
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling

    def forward(self, pixels: Tensor) -> Tensor:
        """Embed; not normalised."""
        return POOLINGS[self.pooling](self.backbone.forward_features(pixels))  # type: ignore[operator]  # timm's


def build_backbone(branch: BranchSpec, tensors: Mapping[str, Tensor], *, source: str) -> nn.Module:
    """Build a branch's network in eval mode, on the CPU, in float32.

    With another pooling than ``model``, the layers behind the feature map are taken off, and their weights
    need not be in the file. A classifier in the file is ignored: an embedding has none. Where the backbone's
    arguments name a head, the file holds ``backbone.*`` and ``head.*``.

    Args:
        branch: backbone, pooling, dim and input size.
        tensors: by timm's names, float32.
        source: names the file in errors.

    Raises:
        SpecError: timm does not know the model, it has no feature map to pool, there is no such head, or its
            dim is another.
        WeightsError: tensors missing, left over or of another shape; names the first few.
    """
    name, problem = BackboneName.parse(branch.backbone), f"Weights {source} do not fit {branch.backbone}"
    model = create_timm(branch.backbone)
    if name.weights_prefix:
        tensors = strip_prefix(tensors, name.weights_prefix, source=source)
    of_head: dict[str, Tensor] = {}
    if name.head:
        tensors, of_head = _split(tensors, problem)
    ignored = _classifier_names(model)
    _, height, width = branch.input_shape
    if branch.pooling != "model":
        ignored += _strip_behind_features(model, branch, height, width)
    fill(model, tensors, ignored, problem)
    network = model if branch.pooling == "model" else PooledBackbone(model, branch.pooling)
    if name.head:
        head = create_head(name.head, _output_shape(network, height, width)[-1])
        fill(head, of_head, (), f"{problem}, in its head")
        network = HeadedBackbone(network, head)
    shape = _output_shape(network, height, width)
    network.eval().requires_grad_(requires_grad=False)
    if shape != (1, branch.dim):
        raise SpecError(
            f"Backbone {branch.backbone} with pooling {branch.pooling!r} gives vectors of shape {shape[1:]}, "
            f"the spec says dim = {branch.dim}; correct the spec."
        )
    return network


def _output_shape(network: nn.Module, height: int, width: int) -> tuple[int, ...]:
    with torch.inference_mode():
        return tuple(network.eval()(torch.zeros(1, 3, height, width)).shape)


def _split(tensors: Mapping[str, Tensor], problem: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The tensors of the backbone, and those of the head on it."""
    parts: dict[str, dict[str, Tensor]] = {"backbone": {}, "head": {}}
    for name, tensor in tensors.items():
        part, _, rest = name.partition(".")
        if part not in parts:
            raise WeightsError(f"{problem}: {name} is neither backbone.* nor head.*; name both parts so.")
        parts[part][rest] = tensor
    return parts["backbone"], parts["head"]


def _classifier_names(model: nn.Module) -> list[str]:
    config = cast("Mapping[str, object]", getattr(model, "pretrained_cfg", {}))
    named = config.get("classifier") or ()
    return [named] if isinstance(named, str) else list(cast("Sequence[str]", named))


def _strip_behind_features(model: nn.Module, branch: BranchSpec, height: int, width: int) -> list[str]:
    """Replace the children that the feature map does not pass; give their names."""
    used: set[str] = set()
    hooks = [
        module.register_forward_hook(partial(_note_child, used, name))
        for name, module in model.named_modules()
        if name
    ]
    with torch.inference_mode():
        features = model.forward_features(torch.zeros(1, 3, height, width))  # type: ignore[operator]  # timm's
    for hook in hooks:
        hook.remove()
    if getattr(features, "ndim", 0) != _FEATURE_MAP_NDIM or getattr(model, "output_fmt", "NCHW") != "NCHW":
        raise SpecError(f'Backbone {branch.backbone} has no (C, H, W) feature map; use pooling = "model".')
    behind = [name for name, _ in model.named_children() if name not in used]
    for name in behind:
        setattr(model, name, nn.Identity())
    return behind


def _note_child(used: set[str], name: str, *_: object) -> None:
    used.add(name.partition(".")[0])
