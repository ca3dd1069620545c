"""The folder that a training leaves: an extractor, and how it came about."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from cbir.errors import TrainingError
from cbir.training.run.begun import begin

if TYPE_CHECKING:
    from cbir.training.run.begun import Begun

_LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where everything of a run lies; with ``extractor.toml``, written last, the folder is an extractor."""

    path: Path

    @property
    def recipe(self) -> Path:
        """As it was used."""
        return self.path / "recipe.toml"

    @property
    def split(self) -> Path:
        """Every image, and the part it was in."""
        return self.path / "split.csv"

    @property
    def test(self) -> Path:
        """Every image of the test part, and how well it was answered."""
        return self.path / "test.csv"

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

        if os.path.lexists(path) and not resume and (not path.is_dir() or any(path.iterdir())):
            raise TrainingError(f"{path} is there already: go on with --resume, or name another with -o.")
        path.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(path / _LOCK, timeout=0):
                begin(path, begun)
                yield cls(path)
        except Timeout:
            raise TrainingError(f"Somebody is training in {path}; wait, or name another with -o.") from None
