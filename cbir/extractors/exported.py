"""Networks as files: an index carries its own, and opens them without torch."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal, TypeAlias, cast

import numpy as np

from cbir.errors import SpecError, WeightsError
from cbir.extractors.extractor import Extractor
from cbir.extractors.handcrafted.network import descriptor_network
from cbir.extractors.projection import PROJECTION, Projection, write_projection
from cbir.runtime.network import FEATURES_NAME, INPUT_NAME, OUTPUT_NAME

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from cbir.extractors.spec import BranchSpec, ExtractorSpec
    from cbir.runtime.network import Network
    from cbir.runtime.pytorch import TorchNetwork

Runtime: TypeAlias = Literal["onnxruntime", "openvino"]

_OPSET = 17
_MIN_COSINE = 0.9999
_N_CHECKED = 3


def export(extractor: Extractor, directory: Path) -> None:
    """Write ``branch0.onnx``, ``branch1.onnx`` … for any batch size, and check them against torch.

    Each gives vectors and, where the network has one, the feature map behind them. A descriptor needs no
    file; a projection has one, ``projection.safetensors``.

    Args:
        extractor: with networks in PyTorch.
        directory: exists; files of these names in it are replaced.

    Raises:
        SpecError: the networks are no PyTorch ones.
        WeightsError: an exported network disagrees with its original: cosine below 0.9999 on seeded input.
    """
    spec = extractor.spec
    if extractor.projection:
        write_projection(directory / PROJECTION, extractor.projection)
    if all(branch.is_handcrafted for branch in spec.branches):
        return
    from cbir.runtime.onnxruntime import OrtNetwork
    from cbir.runtime.pytorch import TorchNetwork

    for number, (branch, network) in enumerate(zip(spec.branches, extractor.networks, strict=True)):
        if branch.is_handcrafted:
            continue
        if not isinstance(network, TorchNetwork):
            raise SpecError(
                f"Extractor {extractor.spec.name!r} is exported already; copy its model directory."
            )
        path = _branch_path(directory, number)
        cpu = _export_branch(network, branch, path)
        seeded = np.random.default_rng(0).standard_normal((_N_CHECKED, *branch.input_shape), dtype=np.float32)
        cosine = _least_cosine(cpu(seeded), OrtNetwork(path)(seeded))
        if not cosine >= _MIN_COSINE:
            raise WeightsError(
                f"Branch {number} ({branch.backbone}): the exported network agrees with the original only to "
                f"cosine {cosine:.6f}, {_MIN_COSINE} is needed; the backbone can't be exported faithfully."
            )


def open_exported(
    spec: ExtractorSpec,
    directory: Path,
    *,
    runtime: Runtime = "onnxruntime",
    n_threads: int | None = None,
    tta: Sequence[str] | None = None,
) -> Extractor:
    """Open what :func:`export` wrote; imports neither torch nor timm.

    Args:
        spec: of the extractor that was exported.
        directory: where its ``branch0.onnx`` … are.
        runtime: ``onnxruntime`` starts faster, ``openvino`` embeds many images faster.
        n_threads: None takes every core.
        tta: the views that it is given; None for the spec's.

    Raises:
        SpecError: the networks' dims are not the spec's.
        WeightsError: a file is missing or no network.
    """
    networks = [
        descriptor_network(branch)
        if branch.is_handcrafted
        else _open(_branch_path(directory, number), runtime, n_threads)
        for number, branch in enumerate(spec.branches)
    ]
    projection = Projection.read(directory / PROJECTION) if spec.projection else None
    return Extractor(spec, networks, projection=projection, tta=tta)


def _branch_path(directory: Path, number: int) -> Path:
    return directory / f"branch{number}.onnx"


def _open(path: Path, runtime: Runtime, n_threads: int | None) -> Network:
    if not path.is_file():
        raise WeightsError(f"The exported network {path} is missing; build the index again.")
    try:
        if runtime == "openvino":
            from cbir.runtime.openvino import OpenVinoNetwork

            return OpenVinoNetwork(path, n_threads=n_threads)
        from cbir.runtime.onnxruntime import OrtNetwork

        return OrtNetwork(path, n_threads=n_threads)
    except Exception as error:
        # Both runtimes raise classes of their own, of no common root below Exception.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise WeightsError(
            f"The exported network {path} can't be opened: {reason}; build the index again."
        ) from error


def _export_branch(network: TorchNetwork, branch: BranchSpec, path: Path) -> TorchNetwork:
    """Give the float32 CPU network that was exported, for comparison."""
    import copy

    import torch

    from cbir.extractors.feature_map import with_features
    from cbir.runtime.pytorch import TorchNetwork

    on_cpu = next(network.module.parameters()).device.type == "cpu"
    module = network.module if on_cpu else copy.deepcopy(network.module).cpu()
    mapped = with_features(module, branch.input_shape)
    outputs = [OUTPUT_NAME] if mapped is None else [OUTPUT_NAME, FEATURES_NAME]
    with torch.inference_mode(), warnings.catch_warnings():
        # The tracing exporter is deprecated, but its successor takes seven times as long (22 s against 3 s).
        warnings.simplefilter("ignore")
        torch.onnx.export(
            mapped or module,
            (torch.zeros(2, *branch.input_shape),),
            str(path),
            input_names=[INPUT_NAME],
            output_names=outputs,
            dynamic_axes={name: {0: "batch"} for name in (INPUT_NAME, *outputs)},
            opset_version=_OPSET,
            dynamo=False,
        )
    return TorchNetwork(module, network.dim)


def _least_cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    a, b = one.astype(np.float64), other.astype(np.float64)
    cosines = (a * b).sum(axis=1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    return cast("float", cosines.min().item())
