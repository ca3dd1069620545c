"""An empty network of timm, by its backbone name."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import timm
from torch import nn

from cbir.errors import SpecError
from cbir.extractors.backbone_name import BackboneName

_N_NAMED = 3


def create_timm(backbone: str) -> nn.Module:
    """Make a network without its classifier, in eval mode, its weights still random.

    Args:
        backbone: as `BackboneName` reads it.

    Raises:
        SpecError: timm does not know the model, or the model not the arguments.
    """
    name = BackboneName.parse(backbone)
    if not timm.is_model(name.model):
        near = ", ".join(timm.list_models(f"*{name.model[:6]}*")[:_N_NAMED])
        raise SpecError(f"timm {timm.__version__} knows no model {name.model!r}; near it: {near or 'none'}.")
    try:
        create = cast("Callable[..., nn.Module]", timm.create_model)
        model = create(name.model, pretrained=False, num_classes=0, **name.args)
    except Exception as error:
        if not name.args:
            raise
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise SpecError(f"Backbone {backbone} can't be made: {reason}; correct its arguments.") from error
    return model.eval()
