"""How a training is run, and who watches; nothing of it decides what is learned."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from cbir.images.decoding import Decoding
from cbir.training.processes import ALONE, Processes

if TYPE_CHECKING:
    from cbir.extractors.weights import WeightsStore
    from cbir.training.loop.history import StepDone
    from cbir.training.loop.parts import EpochTold

Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a training is run.

    Args:
        cache: the folder of decoded images; they may be of many trainings.
        device: where networks run; auto takes a GPU where there is one.
        decoding: of the files.
        weights: a file in place of the start extractor's.
        allow_pickle: also read weights in a pickle.
        offline: never open a connection.
        store: the user's own folder of weights.
        compiles: whether torch compiles the network first.
        processes: that train together; what is not learning is done by the first.
    """

    cache: Path
    device: Device = "auto"
    decoding: Decoding = field(default_factory=Decoding)
    weights: Path | None = None
    allow_pickle: bool = False
    offline: bool = False
    store: WeightsStore | None = None
    compiles: bool = False
    processes: Processes = ALONE

    @property
    def torch_device(self) -> str:
        """As torch names it: ``cpu`` or ``cuda``."""
        if self.device != "auto":
            return self.device
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"


class Watcher(Protocol):
    """Told of what happens in a training, in the thread that trains."""

    def begin(self, what: str, total: int | None) -> None:
        """Something begins that has as many parts; None where they are not counted."""
        ...

    def advance(self) -> None:
        """One part more of it is done."""
        ...

    def step(self, done: StepDone) -> None:
        """A step is done."""
        ...

    def epoch(self, done: EpochTold, *, is_best: bool) -> None:
        """An epoch is done; whether it is the best so far."""
        ...


class Unwatched:
    """Implements ``Watcher``: nobody looks."""

    def begin(self, what: str, total: int | None) -> None:
        """Goes unnoticed."""

    def advance(self) -> None:
        """Likewise."""

    def step(self, done: StepDone) -> None:
        """Likewise."""

    def epoch(self, done: EpochTold, *, is_best: bool) -> None:
        """Likewise."""
