"""What is written down of each epoch of a classifier's training, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from cbir.images.steps import JSON
    from classifiers.recipe import Stage


@dataclass(frozen=True, slots=True)
class EpochDone:
    """One epoch.

    Args:
        epoch: from 1, over all stages.
        stage: from 1.
        step: how many steps were done since the first epoch.
        loss: the mean over the epoch's steps.
        rate: of the optimiser, in the last step.
        validation_loss: of the validation part.
        macro_f1: of the validation part.
        accuracy: likewise.
        constant: macro F1 there of always answering the class that the training part has most of.
        train_s: seconds of the steps.
        validation_s: seconds of the validation.
        images_per_s: of the steps.
    """

    epoch: int
    stage: int
    step: int
    loss: float
    rate: float
    validation_loss: float
    macro_f1: float
    accuracy: float
    constant: float
    train_s: float
    validation_s: float
    images_per_s: float

    @property
    def validated(self) -> str:
        """What the validation part says, in a few words."""
        return f"stage {self.stage}, macro F1 {self.macro_f1:.4f}, validation loss {self.validation_loss:.4f}"

    @property
    def chance(self) -> str:
        """What always the same answer gets, in a few words."""
        return f"constant {self.constant:.4f}"

    def to_dict(self) -> dict[str, JSON]:
        """Plain values, for a line of JSON; ``from_dict`` takes them back exactly."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Rebuild from ``to_dict``."""
        return cls(**values)  # type: ignore[arg-type]  # what to_dict gave


def best_of(history: Sequence[EpochDone]) -> EpochDone | None:
    """The epoch with the highest macro F1, of equals the lowest loss, then the first; None of none."""
    return max(history, key=lambda each: (each.macro_f1, -each.validation_loss), default=None)


def of_stage(history: Sequence[EpochDone], number: int) -> tuple[EpochDone, ...]:
    """The epochs of a stage, which counts from 1."""
    return tuple(each for each in history if each.stage == number)


def is_over(stage: Stage, done: Sequence[EpochDone]) -> bool:
    """Whether a stage has had its epochs, or lost its patience.

    Args:
        stage: says both.
        done: its own epochs.
    """
    best = best_of(done)
    if best is None:
        return False
    is_patient = stage.patience is None or done[-1].epoch - best.epoch < stage.patience
    return len(done) >= stage.epochs or not is_patient
