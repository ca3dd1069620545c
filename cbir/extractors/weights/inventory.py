"""Which weights there are to know of: the presets', a user's own extractors', and everything remembered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from cbir.errors import WeightsError
from cbir.extractors.own_name import names_own_model, own_sources
from cbir.extractors.preset import PRESETS, WeightsSource, read_preset
from cbir.extractors.weights.bundle import BundledFile
from cbir.extractors.weights.find import expectation, find_weights, locate_weights, remember, sha256_of
from cbir.extractors.weights.hub import cached_revision, cached_sha256
from cbir.extractors.weights.known import known_weights
from cbir.extractors.weights.record import WeightsRecord
from cbir.extractors.weights.store import WeightsStore


@dataclass(frozen=True, slots=True)
class WeightsEntry:
    """Weights that a command can name.

    Args:
        name: for the command line.
        source: where they come from.
        folder: which a ``file:`` source is relative to.
        used_by: presets.
        license: what the source says.
        sha256: that they must have; None when the first pull decides.
        published: the sha256 is not only this user's.
    """

    name: str
    source: WeightsSource
    folder: Path
    used_by: tuple[str, ...]
    license: str | None
    sha256: str | None
    published: bool

    def locate(self, store: WeightsStore) -> Path | None:
        """Where they lie on this machine; no connection, no reading."""
        return locate_weights(self.source, self.folder, store=store)


@dataclass(frozen=True, slots=True)
class Checked:
    """What became of looking at a file again.

    Args:
        state: ``ok``, ``differs``, ``missing``, or ``not pinned`` when nothing says what it must be.
    """

    entry: WeightsEntry
    state: str
    path: Path | None = None
    sha256: str | None = None


def inventory(store: WeightsStore) -> list[WeightsEntry]:
    """Everything there is to know of, presets' weights first.

    Raises:
        WeightsError: the user's registry can't be read.
    """
    found: dict[str, WeightsEntry] = {}
    for name in PRESETS:
        for entry in _of_extractor(name, (name,), store):
            old = found.get(entry.source.location)
            found[entry.source.location] = replace(old, used_by=(*old.used_by, name)) if old else entry
    for source in (*known_weights(), *(record.source for record in store.records())):
        if source not in found:
            found[source] = _entry(WeightsSource(source), Path(), (), store)
    return list(found.values())


def entries_named(names: Iterable[str], store: WeightsStore) -> list[WeightsEntry]:
    """What a user means: presets, weights by name or source, own extractors' .toml files.

    Raises:
        SpecError: a .toml file that makes no sense.
        WeightsError: no such name; says which there are.
    """
    everything = inventory(store)
    found: dict[str, WeightsEntry] = {}
    for name in names:
        if name in PRESETS or name.endswith(".toml"):
            entries = list(_of_extractor(name, (), store))
        elif name.startswith("hub:"):
            entries = [_entry(WeightsSource(name), Path(), (), store)]
        else:
            entries = [each for each in everything if name in {each.name, each.source.location}]
        if not entries and name not in PRESETS:
            known = ", ".join([*PRESETS, *(each.name for each in everything)])
            raise WeightsError(
                f"{name!r} names no weights; there are {known}, hub:OWNER/REPO and .toml files."
            )
        found |= {each.source.location: each for each in entries}
    return list(found.values())


def pull(entry: WeightsEntry, store: WeightsStore, *, offline: bool = False) -> Path:
    """Have the weights on this machine, and remember their sha256.

    Raises:
        BackendError: the hub can't be reached.
        WeightsError: not there, not the pinned file, or not for this user.
    """
    found = find_weights(entry.source, entry.folder, offline=offline, store=store)
    location = entry.source.location
    if location.startswith("hub:") and store.record(location) is None:
        remember(found, location, cached_revision(found.path), store)
    return found.path


def check(entry: WeightsEntry, store: WeightsStore) -> Checked:
    """Read the file again, and hold its sha256 against what it must be.

    Raises:
        WeightsError: the file is there, but can't be read.
    """
    path = entry.locate(store)
    if path is None or not path.is_file():
        return Checked(entry, "missing")
    digest, wanted = sha256_of(path), entry.sha256 or cached_sha256(path)
    state = "not pinned" if wanted is None else "ok" if wanted == digest else "differs"
    return Checked(entry, state, path, digest)


def for_bundle(entry: WeightsEntry, store: WeightsStore) -> BundledFile:
    """What a bundle takes along of these weights.

    Raises:
        WeightsError: they are not on this machine, not the pinned ones, or a file of the user's own.
    """
    location = entry.source.location
    if location.startswith("file:"):
        raise WeightsError(
            f"{location} lies beside its .toml file; carry the two together, without a bundle."
        )
    path = entry.locate(store)
    if path is None:
        raise WeightsError(
            f"Weights {entry.name} are not on this machine; run: cbir models pull {entry.name}"
        )
    found = find_weights(entry.source, entry.folder, offline=True, store=store)
    record = store.record(location)
    revision = record.revision if record else cached_revision(path)
    size = path.stat().st_size
    return BundledFile(
        WeightsRecord(location, found.ref.name, found.ref.sha256, size, found.ref.license, revision), path
    )


def _of_extractor(name: str, used_by: tuple[str, ...], store: WeightsStore) -> Iterator[WeightsEntry]:
    preset = read_preset(name)
    for planned in preset.branches:
        if planned.weights is None:  # a descriptor has none
            continue
        if names_own_model(planned.backbone):
            yield _entry(WeightsSource(own_sources(planned.backbone)[0]), preset.folder, used_by, store)
        yield _entry(planned.weights, preset.folder, used_by, store)


def _entry(
    source: WeightsSource, folder: Path, used_by: tuple[str, ...], store: WeightsStore
) -> WeightsEntry:
    expected, known = expectation(source, store), known_weights().get(source.location)
    return WeightsEntry(
        name=known.name if known else expected.name,
        source=source,
        folder=folder,
        used_by=used_by,
        license=expected.license,
        sha256=expected.sha256,
        published=expected.published,
    )
