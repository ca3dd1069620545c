"""A model that says itself what it is: timm's layout, on a model hub or in a folder.

Both have ``config.json`` (``architecture``, ``model_args``) beside ``model.safetensors``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from cbir.errors import SpecError, WeightsError
from cbir.extractors.backbone_name import BackboneName
from cbir.extractors.own_name import names_own_model, own_sources
from cbir.extractors.preset import PlannedBranch, WeightsSource
from cbir.extractors.weights import WeightsFile, WeightsStore, find_weights
from cbir.images.steps import JSON

_CONFIG_MOST = 1 << 20


@dataclass(frozen=True, slots=True)
class OwnModel:
    """What a model says of itself, and its weights.

    Args:
        backbone: for the spec: the architecture with its arguments, which decide the numbers too.
        config: the file that says so.
        weights: as found.
    """

    backbone: str
    config: WeightsFile
    weights: WeightsFile


def find_own_model(
    backbone: str,
    folder: Path,
    *,
    weights: WeightsSource | None = None,
    offline: bool = False,
    store: WeightsStore | None = None,
) -> OwnModel:
    """Find a model's config and weights; torch is not imported, and no code of the model's is run.

    A revision that is not named is the newest one when first pulled, and that one from then on.

    Args:
        backbone: ``hf-hub:OWNER/REPO@REVISION`` or ``dir:PATH``.
        folder: which ``dir:`` is relative to.
        weights: another file than ``model.safetensors``, its licence, its sha256.
        offline: never open a connection.
        store: the user's own folder of weights, looked in first.

    Raises:
        BackendError: the hub can't be reached.
        SpecError: the config makes no sense.
        WeightsError: not found, not the pinned file, or not for this user.
    """
    config_at, weights_at = own_sources(backbone)
    config = find_weights(WeightsSource(config_at), folder, offline=offline, store=store)
    name = read_timm_config(config.path)
    source = weights or WeightsSource(weights_at)
    return OwnModel(str(name), config, find_weights(source, folder, offline=offline, store=store))


def find_branch(
    planned: PlannedBranch, folder: Path, *, offline: bool = False, store: WeightsStore | None = None
) -> tuple[PlannedBranch, WeightsFile | None]:
    """Find a branch's weights; where it is an own model, also what network it is.

    Returns:
        The branch with a backbone that a spec can hold, and its weights; None for a descriptor.

    Raises:
        BackendError: the hub can't be reached.
        SpecError: the model's config makes no sense.
        WeightsError: not found, not the pinned file, or not for this user.
    """
    if planned.weights is None:
        return planned, None
    if not names_own_model(planned.backbone):
        return planned, find_weights(planned.weights, folder, offline=offline, store=store)
    model = find_own_model(planned.backbone, folder, weights=planned.weights, offline=offline, store=store)
    return replace(planned, backbone=model.backbone), model.weights


def read_timm_config(path: Path) -> BackboneName:
    """Read timm's ``config.json``.

    Raises:
        SpecError: not JSON, no architecture, or arguments that are not for users.
        WeightsError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_CONFIG_MOST + 1)
    except OSError as error:
        raise WeightsError(f"Model config {path} can't be read: {error.strerror}.") from error
    try:
        page: object = json.loads(text) if len(text) <= _CONFIG_MOST else None
    except ValueError:
        page = None
    table = cast("Mapping[str, object]", page) if isinstance(page, dict) else {}
    model, args = table.get("architecture"), table.get("model_args") or {}
    if not isinstance(model, str) or not isinstance(args, dict):
        raise SpecError(
            f"Model config {path} is none of timm's (no architecture); "
            'write backbone = "timm:MODEL" and the weights\' source yourself.'
        )
    kept = {key: value for key, value in args.items() if (key, value) != ("in_chans", 3)}
    kept.pop("num_classes", None)  # an embedding has none
    return BackboneName(model, cast("dict[str, JSON]", kept))
