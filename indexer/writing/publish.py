"""From a writer's scratch copy to a published generation, and cleaning up behind it."""

from __future__ import annotations

import contextlib
import functools
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from cbir import __version__
from cbir.errors import IndexWriteError
from indexer.formats import FORMAT
from indexer.manifest import ATTACHED, MANIFEST, MODEL, Manifest, StoreRef, now, write_manifest
from indexer.storage.durable import TEMPORARY, Seal, copy_file, refused, seal_in_place, sync_directory
from indexer.storage.lock import LOCK_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from cbir.extractors.spec import ExtractorSpec

SCRATCH = "scratch"
EMBEDDINGS = "embeddings"
STORE = "store"


def catalog_name(generation: int) -> str:
    """Path of a generation's catalog, relative to the index."""
    return f"catalog-{generation:08d}.sqlite"


def start_directory(path: Path) -> None:
    """Make the directory of a new index.

    Raises:
        IndexWriteError: something that is no interrupted beginning is there, or the disk refused.
    """
    with refused(path):
        path.mkdir(parents=True, exist_ok=True)
        names = {entry.name for entry in path.iterdir()}
    if MANIFEST in names:
        raise IndexWriteError(
            f"There is an index at {str(path)!r} already. Update it, or choose another place."
        )
    if names and LOCK_FILE not in names:
        raise IndexWriteError(f"{str(path)!r} is not empty and no index. Choose another place with -o.")


def first_manifest(
    directory: Path, spec: ExtractorSpec, fill_model: Callable[[Path], None], *, store: str
) -> Manifest:
    """Export the model and describe an index without rows; its catalog is not written yet."""
    model = directory / MODEL
    with refused(model):
        if model.exists():
            shutil.rmtree(model)
        model.mkdir()
        fill_model(model)
        parts = sorted(model.rglob("*"))
    files = {str(part.relative_to(directory)): seal_in_place(part) for part in parts if part.is_file()}
    for folder in [model, *(part for part in parts if part.is_dir())]:
        sync_directory(folder)
    moment = now()
    return Manifest(
        spec=spec.to_dict(),
        fingerprint=spec.fingerprint,
        dim=spec.dim,
        generation=0,
        catalog=catalog_name(0),
        store=StoreRef(store),
        created=moment,
        updated=moment,
        files=files,
        versions=_versions(),
    )


def publish(
    directory: Path,
    manifest: Manifest,
    scratch: Path,
    new_files: Mapping[str, Seal],
    *,
    attached: Mapping[str, Seal],
) -> Manifest:
    """Copy the scratch catalog into its place and write the manifest; the manifest as written.

    Args:
        directory: of the index.
        manifest: with the generation, counts, blocks and store that are to be.
        scratch: the catalog, all changes committed.
        new_files: what is on the disk already and belongs to this generation.
        attached: the files of all attachments.
    """
    name = catalog_name(manifest.generation)
    files = {**manifest.files, **new_files, name: copy_file(scratch, directory / name)}
    named = {name, *manifest.store.files}
    for block in manifest.blocks:
        named |= {f"{EMBEDDINGS}/{block.name}.f32", f"{EMBEDDINGS}/{block.name}.thumbs"}
    kept = {key: seal for key, seal in files.items() if key in named or key.startswith(f"{MODEL}/")}
    kept |= attached
    published = replace(manifest, catalog=name, files=kept, versions=_versions(), format=FORMAT)
    write_manifest(directory, published)
    return published


def remove_leftovers(directory: Path, manifest: Manifest) -> None:
    """Remove what no manifest names: old generations, and what a killed writer left.

    Only names that an index gives its files are touched. What can't be removed stays for the next writer.
    """
    for path in directory.iterdir():
        if path.name.startswith(TEMPORARY) or (
            path.name.startswith("catalog-") and path.name not in manifest.files
        ):
            with contextlib.suppress(OSError):
                path.unlink()
    for folder in (EMBEDDINGS, STORE, ATTACHED):
        for path in sorted((directory / folder).rglob("*"), reverse=True):
            if str(path.relative_to(directory)) not in manifest.files:
                with contextlib.suppress(OSError):
                    path.rmdir() if path.is_dir() else path.unlink()


def remove_scratch(directory: Path) -> None:
    """Remove a writer's scratch folder."""
    shutil.rmtree(directory / SCRATCH, ignore_errors=True)


@functools.cache
def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    versions = {"cbir": __version__}
    for package in ("numpy", "faiss-cpu", "faiss-gpu", "qdrant-edge-py"):
        with contextlib.suppress(PackageNotFoundError):
            versions[package] = version(package)
    return versions
