"""A preset's name, or a TOML file, to an extractor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cbir.errors import SpecError, WeightsError
from cbir.extractors.handcrafted.network import descriptor_network, descriptor_ref
from cbir.extractors.own_model import find_branch
from cbir.extractors.preset import WeightsSource, read_preset
from cbir.extractors.projection import Projection
from cbir.extractors.spec import ProjectionSpec
from cbir.extractors.weights import WeightsFile

if TYPE_CHECKING:
    from pathlib import Path

    from cbir.extractors.extractor import Extractor
    from cbir.extractors.spec import BranchSpec, ExtractorSpec
    from cbir.extractors.weights import WeightsStore
    from cbir.runtime.network import Network


@dataclass(frozen=True, slots=True)
class ResolvedExtractor:
    """A spec and the files that it is made of.

    Args:
        spec: with their checksums.
        files: one a branch, its weights; None for a descriptor.
        projection: the file of the spec's projection; None without.
    """

    spec: ExtractorSpec
    files: tuple[WeightsFile | None, ...]
    projection: Path | None = None


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
    branches = preset.branches
    if weights is not None and len(branches) == 1:
        given = WeightsSource(f"file:{weights.absolute()}", name=weights.name)
        branches = (replace(branches[0], weights=given),)
    elif weights is not None:
        raise WeightsError(
            f"Extractor {preset.name!r} has {len(preset.branches)} branches, but --weights names one file; "
            'name each in the TOML: source = "file:…".'
        )
    found_branches = [find_branch(each, preset.folder, offline=offline, store=store) for each in branches]
    preset = replace(preset, branches=tuple(planned for planned, _ in found_branches))
    files = tuple(file for _, file in found_branches)
    refs = [
        file.ref if file else descriptor_ref(planned.backbone.partition(":")[2])
        for planned, file in zip(preset.branches, files, strict=True)
    ]
    if preset.projection is None:
        return ResolvedExtractor(preset.with_weights(refs), files)
    path = preset.folder / preset.projection
    found = Projection.read(path)
    if found.n_in != sum(planned.dim for planned in preset.branches):
        raise SpecError(
            f"Projection {path} takes vectors of {found.n_in} numbers, extractor {preset.name!r} gives "
            f"{sum(planned.dim for planned in preset.branches)}; fit one for it."
        )
    spec = preset.with_weights(refs, ProjectionSpec(path.name, found.sha256, found.dim))
    return ResolvedExtractor(spec, files, path)


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
    from cbir.extractors.extractor import Extractor

    networks = [
        descriptor_network(branch)
        if file is None
        else _load_network(branch, file, allow_pickle=allow_pickle, device=device)
        for branch, file in zip(resolved.spec.branches, resolved.files, strict=True)
    ]
    projection = Projection.read(resolved.projection) if resolved.projection else None
    return Extractor(resolved.spec, networks, projection=projection)


def _load_network(branch: BranchSpec, file: WeightsFile, *, allow_pickle: bool, device: str) -> Network:
    from cbir.extractors.backbone import build_backbone
    from cbir.extractors.checkpoint import read_checkpoint
    from cbir.runtime.pytorch import TorchNetwork

    tensors = read_checkpoint(file.path, allow_pickle=allow_pickle or file.pinned)
    module = build_backbone(branch, tensors, source=str(file.path))
    return TorchNetwork(module, branch.dim, device=device)
