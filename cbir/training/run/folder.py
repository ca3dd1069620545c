"""The folder that a training leaves: an extractor, and how it came about."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from cbir.errors import TrainingError
from cbir.extractors.preset import RUN_PAGE
from cbir.extractors.spec import ProjectionSpec
from cbir.extractors.spec_page import spec_page

if TYPE_CHECKING:
    from cbir.extractors.projection import Projection
    from cbir.extractors.spec import ExtractorSpec

HEAD = "head.safetensors"
_BEGUN, _LOCK, _WEIGHTS = "begun.json", ".lock", "weights"
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Begun:
    """What a run is of: it may be gone on with by the very same, and by nothing else.

    Args:
        recipe: the sha256 of its page.
        items: of every image's path in the items file, label, group and part.
        split: the split's hash.
        start: the fingerprints of the extractors that it starts from.
    """

    recipe: str
    items: str
    split: str
    start: str


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


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where everything of a run lies; with ``extractor.toml``, written last, the folder is an extractor."""

    path: Path

    @property
    def page(self) -> Path:
        """The extractor's."""
        return self.path / RUN_PAGE

    @property
    def recipe(self) -> Path:
        """As it was used."""
        return self.path / "recipe.toml"

    @property
    def split(self) -> Path:
        """Every image, and the part it was in."""
        return self.path / "split.csv"

    @property
    def history(self) -> Path:
        """A JSON line an epoch."""
        return self.path / "history.jsonl"

    @property
    def curves(self) -> Path:
        """The history, drawn."""
        return self.path / "curves.svg"

    @property
    def skipped(self) -> Path:
        """A JSON line for every file that could not be read."""
        return self.path / "skipped.jsonl"

    @property
    def checkpoints(self) -> Path:
        """What going on takes."""
        return self.path / "checkpoints"

    @property
    def events(self) -> Path:
        """For TensorBoard."""
        return self.path / "events"

    @property
    def card(self) -> Path:
        """What it is and what it is worth, for programs."""
        return self.path / "card.json"

    @property
    def card_text(self) -> Path:
        """The same for people."""
        return self.path / "card.md"

    @property
    def is_finished(self) -> bool:
        """Whether the training came to its own end, and was measured."""
        return self.card.is_file()

    @classmethod
    @contextmanager
    def open(cls, path: Path, begun: Begun, *, resume: bool) -> Iterator[Self]:
        """Make the folder, or go on in it; nobody else may meanwhile.

        Args:
            path: of the folder.
            begun: what the run is of.
            resume: go on, where there is something to go on with.

        Raises:
            TrainingError: something is there and was not to be gone on with, or it is a run of something
                else, or somebody is at work in it.
            OSError: the disk refused.
        """
        from filelock import FileLock, Timeout

        run = cls(path)
        if os.path.lexists(path) and not resume and (not path.is_dir() or any(path.iterdir())):
            raise TrainingError(f"{path} is there already: go on with --resume, or name another with -o.")
        path.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(path / _LOCK, timeout=0):
                run._check(begun)
                yield run
        except Timeout:
            raise TrainingError(f"Somebody is training in {path}; wait, or name another with -o.") from None

    def _check(self, begun: Begun) -> None:
        file = self.path / _BEGUN
        if not file.is_file():
            write_text(file, json.dumps(asdict(begun), indent=2) + "\n")
            return
        try:
            before = Begun(**json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise TrainingError(
                f"{file} can't be read: {error}; begin anew in another folder with -o."
            ) from error
        for name, what in _WHAT.items():
            one, other = getattr(before, name), getattr(begun, name)
            if one != other:
                raise TrainingError(
                    f"{self.path} was begun with other {what} ({one[:_SHOWN]}…) than these "
                    f"({other[:_SHOWN]}…). Give it the same, or begin anew in another folder with -o."
                )

    def publish(self, made: Made, *, remarks: Sequence[str] = ()) -> None:
        """Make the folder an extractor, or another one; at every moment it is the one or the other.

        Raises:
            OSError: the disk refused.
        """
        from cbir.extractors.projection import write_projection

        spec = replace(made.spec, name=self.path.absolute().name)
        (self.path / _WEIGHTS).mkdir(exist_ok=True)
        kept = [self._kept(source, file) for source, file in zip(made.sources, made.files, strict=True)]
        sources = [source for source, _ in kept]
        names = made.names or tuple(branch.weights.name for branch in spec.branches)
        branches = tuple(
            replace(
                branch, weights=replace(branch.weights, name=name, sha256=sha256 or branch.weights.sha256)
            )
            for branch, name, (_, sha256) in zip(spec.branches, names, kept, strict=True)
        )
        spec = replace(spec, branches=branches)
        if made.projection is not None:
            named = ProjectionSpec(HEAD, made.projection.sha256, made.projection.dim)
            spec = replace(spec, projection=named)
            fresh = self.path / f".{HEAD}"
            write_projection(fresh, made.projection)
            _replace(fresh, self.path / HEAD)
        write_text(self.page, spec_page(spec, sources, remarks=remarks))
        named_files = {str(source).removeprefix("file:") for source in sources}
        for file in (self.path / _WEIGHTS).iterdir():
            if f"{_WEIGHTS}/{file.name}" not in named_files:
                file.unlink()

    def _kept(self, source: str | None, file: Path | None) -> tuple[str | None, str | None]:
        """Copy a file into the run under a name of its content, so that no page ever names other bytes.

        Returns:
            How the page names it, and its sha256; None where the spec knows it.
        """
        if source is None or file is None or not source.startswith("file:"):
            return source, None
        digest = _sha256(file)
        name = f"{_WEIGHTS}/{digest[:16]}{file.suffix}"
        target = self.path / name
        if not target.is_file():
            fresh = target.with_name(f".{target.name}")
            shutil.copyfile(file, fresh)
            _replace(fresh, target)
        return f"file:{name}", digest


_WHAT: Mapping[str, str] = {
    "recipe": "settings",
    "items": "images, labels or groups",
    "split": "parts",
    "start": "start weights",
}


def write_text(path: Path, text: str) -> None:
    """Write a file so that there is the old one or the new one, whatever happens.

    Raises:
        OSError: the disk refused; names the file.
    """
    fresh = path.with_name(f".{path.name}")
    try:
        with fresh.open("w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        _replace(fresh, path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def _replace(fresh: Path, target: Path) -> None:
    """Give a written file its name, once its bytes are on the disk."""
    _to_disk(fresh)
    fresh.replace(target)
    _to_disk(target.parent)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
