"""All files of one generation, kept readable to be copied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.formats import FORMAT
from indexer.manifest import (
    MANIFEST,
    Manifest,
    StoreRef,
    manifest_bytes,
    parse_manifest,
    read_manifest_bytes,
)
from indexer.storage.sealed import SealedFile, damaged


@dataclass(frozen=True, slots=True)
class Held:
    """A generation that no writer can take away.

    Args:
        content: the manifest's bytes.
        manifest: of what is held.
        files: every file that it names, each checked when its content is first asked for.
        without_store: whether the store was built, in files or on a server, and is not held.
    """

    content: bytes
    manifest: Manifest
    files: Mapping[str, SealedFile]
    without_store: bool


def hold_generation(path: Path, *, with_store: bool) -> Held:
    """Hold the newest generation, every file open, whatever a writer publishes meanwhile.

    Args:
        path: of the index directory.
        with_store: also its store's files; an index of an older format is always held whole.

    Raises:
        IndexMissingError: there is no index.
        IndexDamagedError: a file of it is missing or has the wrong size.
    """
    before = -1
    while True:
        content = read_manifest_bytes(path)
        manifest = parse_manifest(content, path / MANIFEST)
        was_built = bool(manifest.store.files or manifest.store.settings)
        leave_out = was_built and not with_store and manifest.format == FORMAT
        if leave_out:
            manifest = _without_store(manifest)
            content = manifest_bytes(manifest)
        try:
            files = {name: SealedFile(path / name, seal) for name, seal in sorted(manifest.files.items())}
        except FileNotFoundError as error:
            if manifest.generation == before:
                raise damaged(Path(error.filename), "it is missing") from error
            before = manifest.generation
        else:
            return Held(content, manifest, files, leave_out)


def _without_store(manifest: Manifest) -> Manifest:
    """The same generation before its store was built: a copy does not share a server's collection."""
    left_out = set(manifest.store.files)
    files = {name: seal for name, seal in manifest.files.items() if name not in left_out}
    return replace(manifest, files=files, store=StoreRef(manifest.store.kind))
