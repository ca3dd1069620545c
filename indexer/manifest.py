"""manifest.json: the only commit point of an index, and the list of every file that belongs to it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import xxhash

from cbir.errors import IndexDamagedError, IndexMissingError, SpecError
from indexer.formats import FORMAT, check_format, upgrade_manifest
from indexer.storage.durable import Seal, write_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cbir.extractors.spec import ExtractorSpec
    from indexer.storage.records import JSON

MANIFEST = "manifest.json"
MODEL = "model"
ATTACHED = "attached"
_HEAD = b'{\n"checksum": "'
_NECK = b'",\n'
_HEX_DIGITS = 32


@dataclass(frozen=True, slots=True)
class BlockRef:
    """One embeddings block: ``embeddings/<name>.f32`` and ``.thumbs`` hold rows from ``first_row``."""

    name: str
    first_row: int
    n_rows: int


@dataclass(frozen=True, slots=True)
class StoreRef:
    """Which store answers, and the files it was built into.

    Args:
        kind: of STORES.
        files: relative paths; none for a store that needs no files.
        n_rows: how many rows, from the first, the files cover.
        settings: what the build chose.
    """

    kind: str
    files: tuple[str, ...] = ()
    n_rows: int = 0
    settings: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything a reader must know before it opens another file.

    Args:
        spec: of the extractor, as ``ExtractorSpec.to_dict`` gives it.
        files: the seal of every other file, by path relative to the index.
        next_block: number of the next embeddings block; names are never used twice.
        format: of the catalog on the disk; what is written is always of today's.
    """

    spec: Mapping[str, JSON]
    fingerprint: str
    dim: int
    generation: int
    catalog: str
    store: StoreRef
    created: str
    updated: str
    n_items: int = 0
    n_rows: int = 0
    n_dead_rows: int = 0
    next_block: int = 0
    blocks: tuple[BlockRef, ...] = ()
    files: Mapping[str, Seal] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT

    def extractor_spec(self) -> ExtractorSpec:
        """The spec as a value.

        Raises:
            IndexDamagedError: the spec makes no sense, or is not the one the fingerprint names.
        """
        from cbir.extractors.spec import ExtractorSpec

        try:
            spec = ExtractorSpec.from_dict(dict(self.spec))
        except SpecError as error:
            raise IndexDamagedError(f"The manifest's extractor spec makes no sense: {error}") from error
        if spec.fingerprint != self.fingerprint:
            raise IndexDamagedError(
                f"The manifest's spec has the fingerprint {spec.fingerprint[:8]}, the manifest says "
                f"{self.fingerprint[:8]}: this version of cbir would compute other vectors. Use the "
                "version that wrote it, or build the index again."
            )
        return spec

    @property
    def rows_per_item(self) -> int:
        """About how many embeddings an item has, rounded up; 1 where no image is in parts."""
        return max(1, -((self.n_dead_rows - self.n_rows) // max(1, self.n_items)))

    def successor(self) -> Manifest:
        """The same, one generation on, updated now."""
        return replace(self, generation=self.generation + 1, updated=now())


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Publish: after this call returns, and not before, the manifest's generation is the index."""
    write_file(directory / MANIFEST, [manifest_bytes(manifest)])


def manifest_bytes(manifest: Manifest) -> bytes:
    """The file's content, in today's format."""
    body = json.dumps(_to_dict(manifest), indent=1).encode("ascii").removeprefix(b"{\n")
    checksum = xxhash.xxh3_128(body).hexdigest().encode("ascii")
    return _HEAD + checksum + _NECK + body


def read_manifest(directory: Path) -> Manifest:
    """Read the published generation.

    Raises:
        IndexMissingError: nothing is there, or it is of a newer format than this version knows.
        IndexDamagedError: the manifest does not fit its own checksum.
    """
    return parse_manifest(read_manifest_bytes(directory), directory / MANIFEST)


def read_manifest_bytes(directory: Path) -> bytes:
    """The content of the published manifest, unchecked.

    Raises:
        IndexMissingError: nothing is there.
        IndexDamagedError: it can't be read.
    """
    path = directory / MANIFEST
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise IndexMissingError(
            f"No index at {str(directory)!r}: there is no {MANIFEST}. Build one, or name another with -i."
        ) from None
    except OSError as error:
        raise IndexDamagedError(f"{str(path)!r} can't be read: {error.strerror}. Check the disk.") from error


def parse_manifest(content: bytes, path: Path) -> Manifest:
    """A manifest from the content of its file.

    Args:
        content: as read.
        path: where it is from, for messages.

    Raises:
        IndexMissingError: it is of a newer format than this version knows.
        IndexDamagedError: it does not fit its own checksum, or makes no sense.
    """
    start = len(_HEAD) + _HEX_DIGITS + len(_NECK)
    body = content[start:]
    said = content[len(_HEAD) : len(_HEAD) + _HEX_DIGITS].decode("ascii", "replace")
    found = xxhash.xxh3_128(body).hexdigest().encode("ascii")
    if content[:start] != _HEAD + found + _NECK:
        raise IndexDamagedError(
            f"{str(path)!r} does not fit its checksum: {found.decode()[:8]} found, {said[:8]!r} written. "
            "Restore it from a copy, or build the index again."
        )
    return _from_dict(b"{" + body, path)


def _to_dict(manifest: Manifest) -> dict[str, JSON]:
    return {
        "format": FORMAT,
        "generation": manifest.generation,
        "created": manifest.created,
        "updated": manifest.updated,
        "versions": dict(manifest.versions),
        "fingerprint": manifest.fingerprint,
        "dim": manifest.dim,
        "n_items": manifest.n_items,
        "n_rows": manifest.n_rows,
        "n_dead_rows": manifest.n_dead_rows,
        "catalog": manifest.catalog,
        "next_block": manifest.next_block,
        "blocks": [[block.name, block.first_row, block.n_rows] for block in manifest.blocks],
        "store": {
            "kind": manifest.store.kind,
            "files": list(manifest.store.files),
            "n_rows": manifest.store.n_rows,
            "settings": dict(manifest.store.settings),
        },
        "spec": dict(manifest.spec),
        "files": {name: [seal.size, seal.checksum] for name, seal in sorted(manifest.files.items())},
    }


def _from_dict(text: bytes, path: Path) -> Manifest:
    try:
        document = json.loads(text)
        found = check_format(document["format"], path)
        document = upgrade_manifest(document, found)
        store = document["store"]
        return Manifest(
            spec=document["spec"],
            fingerprint=document["fingerprint"],
            dim=document["dim"],
            generation=document["generation"],
            catalog=document["catalog"],
            store=StoreRef(store["kind"], tuple(store["files"]), store["n_rows"], store["settings"]),
            created=document["created"],
            updated=document["updated"],
            n_items=document["n_items"],
            n_rows=document["n_rows"],
            n_dead_rows=document["n_dead_rows"],
            next_block=document["next_block"],
            blocks=tuple(BlockRef(*block) for block in document["blocks"]),
            files={name: Seal(*seal) for name, seal in document["files"].items()},
            versions=document["versions"],
            format=found,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise IndexDamagedError(f"{str(path)!r} makes no sense: {error!r}. Build the index again.") from error
