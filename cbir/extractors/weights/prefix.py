"""A network that is part of a larger one's file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cbir.errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor

_N_NAMED = 3


def strip_prefix(tensors: Mapping[str, Tensor], prefix: str, *, source: str) -> dict[str, Tensor]:
    """Take the tensors whose names begin with a prefix, by what comes after it; leave the others.

    Args:
        tensors: by name.
        prefix: for example ``visual.trunk.``, the image tower of a CLIP model.
        source: names the file in errors.

    Raises:
        WeightsError: no tensor's name begins so; names how some do begin.
    """
    taken = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    if not taken:
        begins = sorted({name.partition(".")[0] for name in tensors})
        more = ", …" if len(begins) > _N_NAMED else ""
        raise WeightsError(
            f"Weights {source} have no tensor that begins with {prefix!r}; they begin with "
            f"{', '.join(begins[:_N_NAMED]) or 'nothing'}{more}. Correct prefix in the TOML."
        )
    return taken
