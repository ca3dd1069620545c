"""Read a weights file into float32 tensors, without running anything in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch

from cbir.errors import WeightsError
from cbir.extractors import lite0_names

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

_PICKLE_HEADS = (b"PK\x03\x04", b"\x80")
_SAFETENSORS_BRACE_AT = 8
_NESTS = ("state_dict", "model")


def read_checkpoint(path: Path, *, allow_pickle: bool = False) -> dict[str, Tensor]:
    """Read a safetensors file, or a PyTorch pickle when that is allowed.

    Fractions are cast to float32, however they are stored. Judged by content, not by name. Pickles are read
    with ``weights_only=True`` always; ``state_dict`` and ``model`` wrappers and ``module.`` prefixes are
    taken off.

    Raises:
        WeightsError: a pickle without ``allow_pickle``, neither of both formats, or damaged.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_SAFETENSORS_BRACE_AT + 1)
    except OSError as error:
        raise WeightsError(f"Weights {path} can't be read: {error.strerror}.") from error
    if head[_SAFETENSORS_BRACE_AT:] == b"{":
        tensors = _read_safetensors(path)
    elif not head.startswith(_PICKLE_HEADS):
        raise WeightsError(
            f"Weights {path} are neither safetensors nor a PyTorch file; convert them to safetensors."
        )
    elif allow_pickle:
        tensors = _read_pickle(path)
    else:
        raise WeightsError(
            f"Weights {path} are a pickle, which can run code when read; "
            "convert them to safetensors, or say --allow-pickle if you trust their source."
        )
    tensors = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    if lite0_names.fits(tensors):
        tensors = {lite0_names.timm_name(name): tensor for name, tensor in tensors.items()}
    return {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(
            f"Weights {path} are a damaged safetensors file: {error}; fetch them again."
        ) from error


def _read_pickle(path: Path) -> dict[str, Tensor]:
    try:
        with path.open("rb") as file:  # by path, torch would judge by the name
            loaded: object = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # unpickling hostile bytes raises anything
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(f"Weights {path} can't be read with weights_only=True: {reason}") from error
    for nest in _NESTS:
        if isinstance(loaded, Mapping) and isinstance(loaded.get(nest), Mapping):
            loaded = loaded[nest]
    if not isinstance(loaded, Mapping) or not all(
        isinstance(value, torch.Tensor) for value in loaded.values()
    ):
        raise WeightsError(f"Weights {path} hold no table of tensors; save the model's state_dict().")
    return {str(name): tensor for name, tensor in loaded.items()}
