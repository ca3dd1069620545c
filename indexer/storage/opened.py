"""Opening one published generation while a writer may be publishing the next."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cbir.errors import IndexDamagedError
from indexer.catalog import Catalog
from indexer.embeddings import Embeddings
from indexer.formats import FORMAT, connect_published, open_older
from indexer.manifest import MODEL, Manifest, read_manifest
from indexer.storage.sealed import SealedFile, check_file, damaged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from indexer.storage.durable import Seal


@dataclass(frozen=True, slots=True)
class Opened:
    """Everything of one generation: files stay readable when a writer removes them."""

    manifest: Manifest
    catalog: Catalog
    embeddings: Embeddings
    store_files: Mapping[str, SealedFile]


def open_generation(path: Path) -> Opened:
    """Open the newest generation; again from the manifest when a writer was quicker.

    Raises:
        IndexMissingError: nothing is there.
        IndexDamagedError: a file is missing or does not fit.
    """
    manifest = read_manifest(path)
    while True:
        try:
            return _open(path, manifest)
        except FileNotFoundError as error:
            newer = read_manifest(path)
            if newer.generation == manifest.generation:
                raise damaged(Path(error.filename), "it is missing") from error
            manifest = newer


def _open(path: Path, manifest: Manifest) -> Opened:
    for name, seal in manifest.files.items():
        if name.startswith(f"{MODEL}/"):
            check_file(path / name, seal)
    catalog = _open_catalog(path / manifest.catalog, manifest.files[manifest.catalog], manifest.format)
    try:
        embeddings = Embeddings(path, manifest.blocks, manifest.files, manifest.dim)
        store_files = {name: SealedFile(path / name, manifest.files[name]) for name in manifest.store.files}
    except BaseException:
        catalog.close()
        raise
    return Opened(manifest, catalog, embeddings, store_files)


def _open_catalog(path: Path, seal: Seal, found_format: int) -> Catalog:
    """Its bytes are compared with the seal before its first answer: here it would take longer with items.

    One of an older format is read here, for it is brought to today's in a private copy.
    """
    sealed = SealedFile(path, seal)
    try:
        if found_format < FORMAT:
            sealed.content()
            return Catalog(open_older(path, found_format))
        return Catalog(connect_published(path), sealed.content)
    except sqlite3.Error as error:
        path.stat()
        raise IndexDamagedError(f"{str(path)!r} can't be opened: {error}. Build it again.") from error
