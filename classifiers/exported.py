"""A trained classifier as a folder: its weights, its network exported, its spec. To write it takes torch."""

from __future__ import annotations

import copy
import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from cbir.durable import put_in_place, write_text
from cbir.errors import WeightsError
from cbir.extractors.spec import WeightsRef
from cbir.extractors.weights import local_weights
from cbir.runtime.network import INPUT_NAME
from cbir.runtime.onnxruntime import OrtModel
from classifiers.classifier import DESCRIBED, OUTPUTS
from classifiers.folder import NETWORK_FILE, SPEC_FILE, WEIGHTS_FILE

if TYPE_CHECKING:
    from classifiers.networks.network import ClassifierNetwork
    from classifiers.spec import ClassifierSpec

_OPSET = 17
_N_CHECKED = 3
_TOLERANCE = 1e-3
"""Of the largest number of an output, or of 1 where that is smaller."""


def write_weights(
    network: ClassifierNetwork, folder: Path, *, name: str, license_name: str | None = None
) -> WeightsRef:
    """Write a network's tensors by their names, whole or not at all; what it gives belongs in the spec.

    Args:
        network: on any device.
        folder: exists.
        name: of the weights, for people.
        license_name: of what they began with; None where nothing is said.

    Raises:
        OSError: the disk refused.
    """
    path = folder / WEIGHTS_FILE
    fresh = path.with_name(f".{os.getpid()}.{path.name}")
    tensors = {key: each.detach().cpu().contiguous() for key, each in network.state_dict().items()}
    try:
        save_file(tensors, fresh)
        put_in_place(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    return local_weights(path, name=name, license_name=license_name).ref


def export_classifier(network: ClassifierNetwork, spec: ClassifierSpec, folder: Path) -> None:
    """Write ``network.onnx`` for any batch size, checked against torch; then the spec, which makes it whole.

    Args:
        network: on any device; left as it is.
        spec: with the weights that ``write_weights`` gave.
        folder: exists.

    Raises:
        OSError: the disk refused.
        WeightsError: the exported network disagrees with its original on seeded input.
    """
    path = folder / NETWORK_FILE
    fresh = path.with_name(f".{os.getpid()}.{path.name}")
    on_cpu = _Answering(copy.deepcopy(network).cpu()).eval()  # the exporter leaves the mode as it found it
    try:
        _export(on_cpu, spec, fresh)
        _compare(on_cpu, spec, fresh)
        put_in_place(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    write_text(folder / SPEC_FILE, json.dumps(spec.to_dict(), indent=2, ensure_ascii=False) + "\n")


class _Answering(nn.Module):
    """All that a network answers, in the order of ``OUTPUTS``."""

    def __init__(self, network: ClassifierNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor, described: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        return self.network.answer(pixels, described)


def _inputs(spec: ClassifierSpec, n_images: int) -> dict[str, Tensor]:
    """Seeded ones, by their names."""
    drawn = np.random.default_rng(0)
    shapes = {INPUT_NAME: spec.branch.input_shape}
    if spec.n_described:
        shapes[DESCRIBED] = (spec.n_described,)  # type: ignore[assignment]  # another number of axes
    return {
        name: torch.from_numpy(drawn.standard_normal((n_images, *shape), dtype=np.float32))
        for name, shape in shapes.items()
    }


def _export(network: nn.Module, spec: ClassifierSpec, path: Path) -> None:
    inputs = _inputs(spec, 2)
    with torch.inference_mode(), _plain_attention(), warnings.catch_warnings():
        # The tracing exporter is deprecated, but its successor takes seven times as long.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=list(OUTPUTS),
            dynamic_axes={name: {0: "batch"} for name in (*inputs, *OUTPUTS)},
            opset_version=_OPSET,
            dynamo=False,
        )


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Without the operator in which torch fuses an encoder layer, and which ONNX does not have."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _compare(network: nn.Module, spec: ClassifierSpec, path: Path) -> None:
    inputs = _inputs(spec, _N_CHECKED)
    with torch.inference_mode():
        wanted = network(*inputs.values())
    exported = OrtModel(path)({name: each.numpy() for name, each in inputs.items()}, OUTPUTS)
    for name, one, other in zip(OUTPUTS, wanted, exported, strict=True):
        scale = max(float(one.abs().max()), 1.0)
        apart = float(np.abs(one.numpy() - other).max()) / scale
        if not apart <= _TOLERANCE:
            raise WeightsError(
                f"Classifier {spec.name!r}: the {name} of the exported network differ from the original's by "
                f"{apart:.2g} of their range, {_TOLERANCE:g} is allowed; it can't be exported faithfully."
            )
