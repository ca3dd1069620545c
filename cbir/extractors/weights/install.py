"""Put weights into the user's own folder: out of a bundle, or a file carried over by hand."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from cbir.errors import WeightsError
from cbir.extractors.weights.bundle import FORMAT, MANIFEST, manifest_sha256, member_name
from cbir.extractors.weights.find import expectation, sha256_of
from cbir.extractors.weights.known import known_weights
from cbir.extractors.weights.record import WeightsRecord
from cbir.extractors.weights.store import WeightsStore, changed
from cbir.plain_tar import read_end, read_exactly, read_header, read_padding

if TYPE_CHECKING:
    from cbir.extractors.preset import WeightsSource

_MANIFEST_MOST = 1 << 20
_CHUNK = 1 << 20
_CARRY_AGAIN = "carry it over again"


def install_bundle(
    path: Path, store: WeightsStore, *, sha256: str | None = None
) -> tuple[WeightsRecord, ...]:
    """Check a bundle whole, then place every file of it; on any doubt place none.

    The bundle is read as what `write_bundle` writes and as nothing else: a manifest, then exactly its files,
    with exactly its sizes; no links, no folders, no names of its own.

    Args:
        path: of the bundle.
        store: where to.
        sha256: that the bundle must have, as `write_bundle` said; None does not check it.

    Raises:
        WeightsError: no bundle, damaged, not the one meant, other weights than published or than remembered,
            or not enough room.
    """
    if sha256 is not None and (found := sha256_of(path)) != sha256.lower():
        raise WeightsError(f"Bundle {path} has sha256 {found}, not {sha256}; {_CARRY_AGAIN}.")
    try:
        with path.open("rb") as bundle:
            records = _manifest(bundle, path)
            _check_sources(records, store)
            sizes = {each.sha256: each.size for each in records}
            with store.incoming() as incoming:
                _check_room(sum(sizes.values()), incoming, path)
                for digest, size in sizes.items():
                    _receive(bundle, digest, size, incoming, path)
                read_end(bundle)
                for digest in sizes:
                    store.place(incoming / digest, digest)
    except (tarfile.TarError, ValueError) as error:
        raise WeightsError(
            f"{path} is no bundle of weights, or damaged ({error}); {_CARRY_AGAIN}."
        ) from error
    except OSError as error:
        raise WeightsError(
            f"Bundle {path} can't be installed into {store.folder}: {error.strerror}."
        ) from error
    now = datetime.now(UTC).isoformat(timespec="seconds")
    records = tuple(replace(each, recorded=now) for each in records)
    store.remember(records)
    return records


def install_file(path: Path, source: WeightsSource, store: WeightsStore) -> WeightsRecord:
    """Place one weights file that was carried over by hand, as what a source names.

    Raises:
        WeightsError: not the file that is published or remembered for the source, or not enough room.
    """
    expected = expectation(source, store)
    digest = sha256_of(path)
    if expected.sha256 not in {None, digest}:
        raise WeightsError(
            f"{path} has sha256 {digest}, but {source.location} has {expected.sha256}; fetch that file."
        )
    try:
        size = path.stat().st_size
        with store.incoming() as incoming:
            _check_room(size, incoming, path)
            with path.open("rb") as file:
                _write(file, size, incoming / digest, path)
            if sha256_of(incoming / digest) != digest:
                raise WeightsError(f"{path} changed while it was read; try again.")
            store.place(incoming / digest, digest)
    except OSError as error:
        raise WeightsError(f"{path} can't be installed into {store.folder}: {error.strerror}.") from error
    now = datetime.now(UTC).isoformat(timespec="seconds")
    record = WeightsRecord(source.location, expected.name, digest, size, expected.license, recorded=now)
    store.remember([record])
    return record


def _manifest(bundle: BinaryIO, path: Path) -> tuple[WeightsRecord, ...]:
    size = read_header(bundle, MANIFEST)
    if size > _MANIFEST_MOST:
        raise WeightsError(f"Bundle {path}: its manifest claims {size} bytes, more than {_MANIFEST_MOST}.")
    page: object = json.loads(read_exactly(bundle, size))
    read_padding(bundle, size)
    found = page.get("format") if isinstance(page, dict) else None
    if not isinstance(page, dict) or found != FORMAT or not isinstance(page.get("weights"), list):
        raise WeightsError(f"Bundle {path} has format {found!r}, this cbir reads {FORMAT}; update cbir.")
    entries = [each for each in cast("list[object]", page["weights"]) if isinstance(each, dict)]
    records = tuple(WeightsRecord.from_dict(each) for each in entries)
    sizes = {each.sha256: each.size for each in records}
    whole = page.get("sha256") == manifest_sha256(page["weights"])
    whole = whole and len(entries) == len(page["weights"]) == len({each.source for each in records}) > 0
    if not whole or any(sizes[each.sha256] != each.size for each in records):
        raise WeightsError(f"Bundle {path}: its manifest contradicts itself; {_CARRY_AGAIN}.")
    return records


def _check_sources(records: Sequence[WeightsRecord], store: WeightsStore) -> None:
    """Nothing may come in under the name of something else."""
    for each in records:
        known, old = known_weights().get(each.source), store.record(each.source)
        if known and known.sha256 not in {None, each.sha256}:
            raise WeightsError(
                f"The bundle's {each.source} has sha256 {each.sha256}, but {known.sha256} is published "
                f"({known.sha256_from}); do not use this bundle."
            )
        if old and old.sha256 != each.sha256:
            raise WeightsError(changed(old, each.sha256, store))


def _check_room(needed: int, folder: Path, path: Path) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise WeightsError(f"{path} needs {needed} bytes in {folder.parent}, {free} are free; make room.")


def _receive(bundle: BinaryIO, sha256: str, size: int, incoming: Path, path: Path) -> None:
    said = read_header(bundle, member_name(sha256))
    if said != size:
        raise WeightsError(f"Bundle {path}: {sha256} has {said} bytes, the manifest says {size}.")
    found = _write(bundle, size, incoming / sha256, path)
    if found != sha256:
        raise WeightsError(f"Bundle {path}: a file has sha256 {found}, not {sha256}; {_CARRY_AGAIN}.")
    read_padding(bundle, size)


def _write(source: BinaryIO, size: int, target: Path, path: Path) -> str:
    """Copy so many bytes; give their sha256."""
    digest, left = hashlib.sha256(), size
    with target.open("xb") as file:
        while left:
            chunk = source.read(min(left, _CHUNK))
            if not chunk:
                raise WeightsError(f"{path} ends {left} bytes too early; {_CARRY_AGAIN}.")
            digest.update(chunk)
            file.write(chunk)
            left -= len(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()
