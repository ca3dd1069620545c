"""A trained extractor into the folder of its run, over the one before it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cbir.durable import put_in_place, write_text
from cbir.extractors.preset import RUN_PAGE
from cbir.extractors.spec import ProjectionSpec
from cbir.extractors.spec_page import spec_page

if TYPE_CHECKING:
    from pathlib import Path

    from cbir.extractors.projection import Projection
    from cbir.extractors.spec import ExtractorSpec

HEAD = "head.safetensors"
_WEIGHTS = "weights"


@dataclass(frozen=True, slots=True)
class Made:
    """An extractor as trained.

    Args:
        spec: what decides its numbers; of a projection whatever stands there is replaced by ``projection``.
        sources: one a branch, as a page says where its weights are; a ``file:`` is copied into the run; None
            for a descriptor.
        files: one a branch, the weights as found.
        projection: the trained head; None without one.
        names: one a branch, for people; None keeps the spec's.
    """

    spec: ExtractorSpec
    sources: tuple[str | None, ...]
    files: tuple[Path | None, ...]
    projection: Projection | None = None
    names: tuple[str, ...] | None = None


def publish(folder: Path, made: Made, *, remarks: Sequence[str] = ()) -> None:
    """Make a folder an extractor, or another one; at every moment it is the one or the other.

    Args:
        folder: of the run; the extractor takes its name.
        made: what it becomes.
        remarks: at the head of its page.

    Raises:
        OSError: the disk refused.
    """
    from cbir.extractors.projection import write_projection

    (folder / _WEIGHTS).mkdir(exist_ok=True)
    kept = [_kept(folder, source, file) for source, file in zip(made.sources, made.files, strict=True)]
    sources = [source for source, _ in kept]
    spec = _named(made, folder.absolute().name, [sha256 for _, sha256 in kept])
    if made.projection is not None:
        named = ProjectionSpec(HEAD, made.projection.sha256, made.projection.dim)
        spec = replace(spec, projection=named)
        fresh = folder / f".{HEAD}"
        write_projection(fresh, made.projection)
        put_in_place(fresh, folder / HEAD)
    write_text(folder / RUN_PAGE, spec_page(spec, sources, remarks=remarks))
    named_files = {str(source).removeprefix("file:") for source in sources}
    for file in (folder / _WEIGHTS).iterdir():
        if f"{_WEIGHTS}/{file.name}" not in named_files:
            file.unlink()


def _named(made: Made, name: str, digests: Sequence[str | None]) -> ExtractorSpec:
    """The spec under the run's name, with the weights that lie in it."""
    names = made.names or tuple(branch.weights.name for branch in made.spec.branches)
    branches = tuple(
        replace(branch, weights=replace(branch.weights, name=its, sha256=sha256 or branch.weights.sha256))
        for branch, its, sha256 in zip(made.spec.branches, names, digests, strict=True)
    )
    return replace(made.spec, name=name, branches=branches)


def _kept(folder: Path, source: str | None, file: Path | None) -> tuple[str | None, str | None]:
    """Copy a file into the run under a name of its content, so that no page ever names other bytes.

    Returns:
        How the page names it, and its sha256; None where the spec knows it.
    """
    if source is None or file is None or not source.startswith("file:"):
        return source, None
    digest = _sha256(file)
    name = f"{_WEIGHTS}/{digest[:16]}{file.suffix}"
    target = folder / name
    if not target.is_file():
        fresh = target.with_name(f".{target.name}")
        shutil.copyfile(file, fresh)
        put_in_place(fresh, target)
    return f"file:{name}", digest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
