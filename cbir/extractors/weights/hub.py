"""Files of a model hub: out of its local cache, else from its server."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cbir.errors import BackendError, WeightsError
from cbir.extractors.weights.location import HubLocation

OTHER_WAY = "give a local file with --weights FILE"

_TIMEOUT_S = 10.0
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file that the hub's server gave.

    Args:
        path: in the hub's local cache.
        revision: the commit that it belongs to; None when the server does not say.
        sha256: what the server says it must have; None for small files, which it does not hash so.
    """

    path: Path
    revision: str | None
    sha256: str | None


def cached_hub_file(location: HubLocation, *, revision: str | None = None) -> Path | None:
    """Look in the hub's local cache; never opens a connection.

    Args:
        location: which file.
        revision: used where the location names none.

    Raises:
        WeightsError: the hub could not have such a repository.
    """
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        # Not hf_hub_download(local_files_only=True): that one may still ask the hub for something else.
        found = try_to_load_from_cache(location.repo, location.file, revision=location.revision or revision)
    except (HFValidationError, ValueError) as error:
        raise WeightsError(f"Weights source hub:{location} is no OWNER/REPO; correct the TOML.") from error
    return Path(found) if isinstance(found, str) else None


def cached_sha256(path: Path) -> str | None:
    """The sha256 that the hub's cache says a file of it has; None where it does not say."""
    name = path.resolve().name
    return name if path.is_symlink() and _SHA256.fullmatch(name) else None


def cached_revision(path: Path) -> str | None:
    """The commit that a file of the hub's cache belongs to; None where it does not say."""
    parts = path.parts
    at = parts.index("snapshots") + 1 if "snapshots" in parts else len(parts)
    return parts[at] if at < len(parts) - 1 else None


def fetch_hub_file(location: HubLocation, *, revision: str | None = None) -> HubFile:
    """Download into the hub's local cache.

    Args:
        location: which file.
        revision: used where the location names none.

    Raises:
        BackendError: the server can't be reached, or answers with an error.
        WeightsError: there is no such file, its terms are not accepted, or the hub's library is set offline.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_download, hf_hub_url

    wanted = location.revision or revision
    if constants.HF_HUB_OFFLINE:
        raise not_in_cache(location)
    try:
        url = hf_hub_url(location.repo, location.file, revision=wanted)
        # One try, because the download's own retries take half a minute to give up without a network.
        said = get_hf_file_metadata(url, timeout=_TIMEOUT_S)
        with _no_bar_off_a_terminal():
            path = hf_hub_download(location.repo, location.file, revision=wanted, etag_timeout=_TIMEOUT_S)
    except Exception as error:
        # The hub's HTTP library, and with it the classes of its errors, changes between versions.
        raise _explained(error, location) from error
    digest = said.etag if said.etag and _SHA256.fullmatch(said.etag) else None
    return HubFile(Path(path), said.commit_hash, digest)


def not_in_cache(location: HubLocation) -> WeightsError:
    """What to say offline."""
    return WeightsError(
        f"Weights {location} are not in the local cache, and this run is offline; "
        f"install a bundle that has them (cbir models install FILE), or {OTHER_WAY}."
    )


def _explained(error: Exception, location: HubLocation) -> BackendError | WeightsError:
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, GatedRepoError):
        return WeightsError(
            f"Weights {location} are given only to those who accept their terms: do so at {location.page}, "
            f"log in with `hf auth login`, and pull again; or {OTHER_WAY}."
        )
    if isinstance(error, RevisionNotFoundError):
        return WeightsError(f"The hub's {location.repo} has no revision {location.revision}; correct it.")
    if isinstance(error, RepositoryNotFoundError):
        return WeightsError(
            f"The hub has no {location.repo}, or not for you: correct the name, or log in (hf auth login)."
        )
    if isinstance(error, EntryNotFoundError) and not isinstance(error, LocalEntryNotFoundError):
        return WeightsError(
            f"The hub's {location.repo} has no file {location.file}; name one: hub:{location.repo}/FILE."
        )
    return BackendError(
        f"Weights {location} can't be fetched from the hub ({type(error).__name__}); "
        f"try again with a network, install a bundle (cbir models install FILE), or {OTHER_WAY}."
    )


@contextmanager
def _no_bar_off_a_terminal() -> Iterator[None]:
    from huggingface_hub import constants
    from huggingface_hub.utils.tqdm import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    decided = constants.HF_HUB_DISABLE_PROGRESS_BARS is not None or are_progress_bars_disabled()
    if decided or sys.stderr.isatty():
        yield
        return
    disable_progress_bars()
    try:
        yield
    finally:
        enable_progress_bars()
