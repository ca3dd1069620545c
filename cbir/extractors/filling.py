"""Tensors into a module, each by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.errors import WeightsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

_N_NAMED = 3


def fill(model: nn.Module, tensors: Mapping[str, Tensor], ignored: Sequence[str], problem: str) -> None:
    """Give a module all of its tensors.

    Args:
        model: filled in place.
        tensors: by the module's names.
        ignored: parts whose tensors may be left over.
        problem: how an error begins.

    Raises:
        WeightsError: tensors missing, left over or of another shape; names the first few.
    """
    prefixes = tuple(f"{name}." for name in ignored)
    wanted = model.state_dict()
    extra = [name for name in tensors if name not in wanted and not name.startswith(prefixes)]
    # Counters of batches seen in training decide no number; older files have none.
    missing = [name for name in wanted if name not in tensors and not name.endswith("num_batches_tracked")]
    what_to_do = "give the file of this very model, with timm's names"
    if missing:
        raise WeightsError(f"{problem}: {len(missing)} tensors are missing{_some(missing)}; {what_to_do}.")
    if extra:
        raise WeightsError(f"{problem}: {len(extra)} tensors are left over{_some(extra)}; {what_to_do}.")
    for name, tensor in wanted.items():
        if name in tensors and tensors[name].shape != tensor.shape:
            shapes = f"{tuple(tensors[name].shape)}, the model's {tuple(tensor.shape)}"
            raise WeightsError(f"{problem}: {name} is {shapes}; {what_to_do}.")
    model.load_state_dict({name: tensors.get(name, tensor) for name, tensor in wanted.items()})


def _some(names: Sequence[str]) -> str:
    return f" ({', '.join(names[:_N_NAMED])}{', …' if len(names) > _N_NAMED else ''})"
