"""Which layers of a backbone are its last ones, that a second stage of training unfreezes."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from classifiers.networks.backbone import feature_stages, ran

_N_STAGES = 4
_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)


def last_parameters(model: nn.Module, input_shape: tuple[int, int, int]) -> frozenset[str]:
    """Name the parameters of the last stage, and of the last block of the stage before it.

    A stage is what runs between two places that timm names, of different resolution, and holds parameters;
    the last one goes on to the end of the feature map. So it is layer4 of a ResNet; transition3, denseblock4
    and norm5 of a DenseNet; blocks 5 and 6, conv_head and its norm of an EfficientNet. A network of one
    resolution throughout, as a ViT is one, counts as four stages: the last one is a quarter of its blocks.

    The last block of a stage is the last of the modules that its container holds; where there is no
    container, as in a VGG, it is the last layer.

    Args:
        model: of timm, without a classifier.
        input_shape: (3, H, W) that it takes.
    """
    finished = ran(model, lambda: model.forward_features(torch.zeros(1, *input_shape)))  # type: ignore[operator]  # timm's
    end = _end_before(model, finished)
    if end is None:
        return frozenset(name for name, _ in model.named_parameters())
    names = set(finished[finished.index(end) + 1 :])
    block = _last_block(model, end) or _last_layer(model, finished[: finished.index(end)])
    return frozenset(
        name
        for name, _ in model.named_parameters()
        if name.rpartition(".")[0] in names or name.startswith(f"{block}.")
    )


def _end_before(model: nn.Module, finished: list[str]) -> str | None:
    """The module with which the stage before the last one ends; None where there is no such stage."""
    stages = feature_stages(model)
    ends = [str(stage["module"]) for stage in stages]
    reductions = [stage["reduction"] for stage in stages]
    if len(set(reductions)) == 1:
        ends = ends[: -max(len(ends) // _N_STAGES, 1)]
        return ends[-1] if ends else None
    ends = [end for end, (one, next_one) in zip(ends, pairwise(reductions), strict=False) if one != next_one]
    owners = {name for name, module in model.named_modules() if _owns(module)}
    return next((end for end in reversed(ends) if owners & set(finished[finished.index(end) + 1 :])), None)


def _last_block(model: nn.Module, end: str) -> str | None:
    """The last block in the module that a stage ends with; None where it holds none."""
    name, module = end, model.get_submodule(end)
    if not isinstance(module, _CONTAINERS):
        inner = _last_child(module)
        if inner is None:
            return None
        if not isinstance(module.get_submodule(inner), _CONTAINERS):
            return name
        name, module = f"{name}.{inner}", module.get_submodule(inner)
    while isinstance(module, _CONTAINERS) and (inner := _last_child(module)) is not None:
        name, module = f"{name}.{inner}", module.get_submodule(inner)
    return name


def _last_child(module: nn.Module) -> str | None:
    names = [name for name, child in module.named_children() if any(True for _ in child.parameters())]
    return names[-1] if names else None


def _last_layer(model: nn.Module, finished: list[str]) -> str:
    return [name for name in finished if _owns(model.get_submodule(name))][-1]


def _owns(module: nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False))
