"""A timm network as the lower part of a classifier: pixels to feature maps, and to one vector."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

import torch
from torch import Tensor, nn

from cbir.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_MAP_NDIM = 4


class Seen(NamedTuple):
    """What a backbone sees.

    Args:
        maps: (B, C, H, W) each, the finest first; the last one is the last of the network: C5.
        pooled: (B, D): the mean of the last map, or the network's own pooling where it answers in tokens.
    """

    maps: tuple[Tensor, ...]
    pooled: Tensor


class Backbone(nn.Module):
    """A timm network without its classifier.

    Args:
        model: as ``create_timm`` makes it.
        name: in errors.
        n_maps: 1 for C5 alone, 2 for C4 and C5.

    Raises:
        SpecError: two maps of a network that has one resolution throughout.
    """

    def __init__(self, model: nn.Module, name: str, *, n_maps: int = 1) -> None:
        super().__init__()
        self.model = model
        self.name = name
        reductions = [int(cast("int", each["reduction"])) for each in feature_stages(model)]
        self._last = len(reductions) - 1
        coarser = [place for place, each in enumerate(reductions) if each < reductions[-1]]
        if n_maps > 1 and not coarser:
            raise SpecError(
                f"Backbone {name} has one resolution throughout, no C4; take scales = C5, or another one."
            )
        self._finer = coarser[-1] if n_maps > 1 else None

    def forward(self, pixels: Tensor) -> Seen:
        """See a batch: (B, 3, H, W)."""
        wanted = [self._last] if self._finer is None else [self._finer, self._last]
        see = cast("Callable[..., tuple[Tensor, list[Tensor]]]", self.model.forward_intermediates)
        final, maps = see(pixels, indices=wanted, norm=True, output_fmt="NCHW")
        if final.ndim == _MAP_NDIM and getattr(self.model, "output_fmt", "NCHW") == "NCHW":
            return Seen((*maps[:-1], final), final.mean(dim=(2, 3)))
        pool = cast("Callable[..., Tensor]", self.model.forward_head)
        return Seen(tuple(maps), pool(final, pre_logits=True))


def feature_stages(model: nn.Module) -> Sequence[Mapping[str, object]]:
    """What timm says of a network's stages, in their order: ``module`` where it ends, its ``reduction``."""
    info = model.feature_info
    return cast("Sequence[Mapping[str, object]]", getattr(info, "info", info))


def strip_unused(backbone: nn.Module, input_shape: tuple[int, int, int]) -> None:
    """Replace the parts of a backbone's model that it does not run, as the head of a VGG.

    Args:
        backbone: a ``Backbone``; changed in place.
        input_shape: (3, H, W) that it takes.
    """
    model = backbone.get_submodule("model")
    run = ran(model, lambda: backbone(torch.zeros(1, *input_shape)))
    parts = {name.partition(".")[0] for name in run}
    for name, child in list(model.named_children()):
        if name not in parts and any(True for _ in child.parameters()):
            setattr(model, name, nn.Identity())


def ran(model: nn.Module, run: Callable[[], object]) -> list[str]:
    """The names of a model's modules in the order in which they are done with something that is run."""
    finished: dict[str, None] = {}
    hooks = [
        module.register_forward_hook(partial(_note, finished, name))
        for name, module in model.named_modules()
        if name
    ]
    with torch.inference_mode():
        run()
    for hook in hooks:
        hook.remove()
    return list(finished)


def _note(finished: dict[str, None], name: str, *_: object) -> None:
    finished[name] = None
