"""Weights in one file, to carry to a machine without a network: an uncompressed tar, its manifest first."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from cbir.errors import WeightsError
from cbir.extractors.weights.record import WeightsRecord
from cbir.plain_tar import END, header, padding

FORMAT = 1
MANIFEST = "cbir-weights.json"
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class BundledFile:
    """A weights file for a bundle.

    Args:
        record: its source and sha256.
        path: where it lies now.
    """

    record: WeightsRecord
    path: Path


def member_name(sha256: str) -> str:
    """How a weights file is called in a bundle."""
    return f"files/{sha256}"


def write_bundle(files: Sequence[BundledFile], target: Path) -> str:
    """Write a bundle; the same weights give the same bytes.

    Args:
        files: at least one; two with the same bytes are stored once.
        target: replaced only when the bundle is whole.

    Returns:
        The bundle's sha256, to be carried on another way and checked on arrival.

    Raises:
        WeightsError: nothing to bundle, a file is not what its record says, or the disk refuses.
    """
    if not files:
        raise WeightsError("There is nothing to bundle; name presets or weights.")
    by_source = {each.record.source: each for each in files}
    ordered = [by_source[source] for source in sorted(by_source)]
    records = [replace(each.record, recorded=None).to_dict() for each in ordered]
    page = json.dumps(
        {"format": FORMAT, "sha256": manifest_sha256(records), "weights": records}, sort_keys=True, indent=1
    ).encode()
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}-", delete=False) as file:
            scratch = Path(file.name)
            try:
                file.write(header(MANIFEST, len(page)) + page + padding(len(page)))
                for sha256, each in {each.record.sha256: each for each in ordered}.items():
                    file.write(header(member_name(sha256), each.record.size))
                    _copy(each, file)
                    file.write(padding(each.record.size))
                file.write(END)
                file.flush()
                os.fsync(file.fileno())
                scratch.chmod(0o644)
                scratch.replace(target)
            finally:
                scratch.unlink(missing_ok=True)
        with target.open("rb") as whole:
            return hashlib.file_digest(whole, "sha256").hexdigest()
    except OSError as error:
        raise WeightsError(f"Bundle {target} can't be written: {error.strerror}.") from error


def manifest_sha256(entries: object) -> str:
    """Of a manifest's entries, so that no bit of what is said about the files flips unnoticed."""
    return hashlib.sha256(json.dumps(entries, sort_keys=True).encode()).hexdigest()


def _copy(each: BundledFile, target: IO[bytes]) -> None:
    digest, left = hashlib.sha256(), each.record.size
    with each.path.open("rb") as source:
        while left and (chunk := source.read(min(left, _CHUNK))):
            digest.update(chunk)
            target.write(chunk)
            left -= len(chunk)
        longer = bool(source.read(1))
    if left or longer or digest.hexdigest() != each.record.sha256:
        raise WeightsError(
            f"Weights {each.path} are not the file with sha256 {each.record.sha256} "
            f"and {each.record.size} bytes; run: cbir models verify."
        )
