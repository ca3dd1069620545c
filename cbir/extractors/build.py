"""A preset's name, or a TOML file, to an extractor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbir.errors import WeightsError
from cbir.extractors.preset import read_preset
from cbir.extractors.weights import WeightsFile, find_weights, local_weights

if TYPE_CHECKING:
    from pathlib import Path

    from cbir.extractors.extractor import Extractor
    from cbir.extractors.spec import ExtractorSpec
    from cbir.extractors.weights import WeightsStore


@dataclass(frozen=True, slots=True)
class ResolvedExtractor:
    """A spec and, for each of its branches, the file that its weights are in."""

    spec: ExtractorSpec
    files: tuple[WeightsFile, ...]


def resolve_extractor(
    name_or_toml: str | Path,
    *,
    weights: Path | None = None,
    offline: bool = False,
    store: WeightsStore | None = None,
) -> ResolvedExtractor:
    """Find the weights, and with them the spec and its fingerprint, without importing torch.

    Args:
        name_or_toml: a key of ``PRESETS``, or a TOML file in their format.
        weights: used instead of the preset's; its sha256 is what the spec records.
        offline: never open a connection.
        store: the user's own folder of weights, looked in first.

    Raises:
        BackendError: the hub can't be reached.
        SpecError: the preset makes no sense.
        WeightsError: a file is missing, unreachable, or not the pinned one.
    """
    preset = read_preset(name_or_toml)
    if weights is None:
        files = tuple(
            find_weights(planned.weights, preset.folder, offline=offline, store=store)
            for planned in preset.branches
        )
    elif len(preset.branches) == 1:
        files = (local_weights(weights),)
    else:
        raise WeightsError(
            f"Extractor {preset.name!r} has {len(preset.branches)} branches, but --weights names one file; "
            'name each in the TOML: source = "file:…".'
        )
    return ResolvedExtractor(preset.with_weights([file.ref for file in files]), files)


def load_extractor(
    name_or_toml: str | Path,
    *,
    weights: Path | None = None,
    allow_pickle: bool = False,
    offline: bool = False,
    device: str = "cpu",
) -> Extractor:
    """Build an extractor in PyTorch.

    Args:
        name_or_toml: a key of ``PRESETS``, or a TOML file in their format.
        weights: used instead of the preset's.
        allow_pickle: also read PyTorch pickles, with ``weights_only=True``; pinned ones are read anyway.
        offline: never open a connection.
        device: as torch names it.

    Raises:
        SpecError: the preset makes no sense, or does not fit its network.
        WeightsError: weights missing, unreachable, not the pinned ones, refused, or of another network.
    """
    return load_resolved(
        resolve_extractor(name_or_toml, weights=weights, offline=offline),
        allow_pickle=allow_pickle,
        device=device,
    )


def load_resolved(
    resolved: ResolvedExtractor, *, allow_pickle: bool = False, device: str = "cpu"
) -> Extractor:
    """Build the networks of a resolved extractor in PyTorch.

    Raises:
        SpecError: the spec does not fit its network.
        WeightsError: weights refused, damaged, or of another network.
    """
    from cbir.extractors.backbone import build_backbone
    from cbir.extractors.checkpoint import read_checkpoint
    from cbir.extractors.extractor import Extractor
    from cbir.runtime.pytorch import TorchNetwork

    networks = []
    for branch, file in zip(resolved.spec.branches, resolved.files, strict=True):
        tensors = read_checkpoint(file.path, allow_pickle=allow_pickle or file.pinned)
        module = build_backbone(branch, tensors, source=str(file.path))
        networks.append(TorchNetwork(module, branch.dim, device=device))
    return Extractor(resolved.spec, networks)
