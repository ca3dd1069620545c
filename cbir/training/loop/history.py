"""What is written down of each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self, cast

if TYPE_CHECKING:
    from cbir.images.steps import JSON


@dataclass(frozen=True, slots=True)
class StepDone:
    """One step, for whoever shows progress.

    Args:
        epoch: from 1.
        step: in the epoch, from 1.
        n_steps: of the epoch.
        loss: the weighted sum.
    """

    epoch: int
    step: int
    n_steps: int
    loss: float


@dataclass(frozen=True, slots=True)
class EpochDone:
    """One epoch.

    Args:
        epoch: from 1.
        step: how many steps were done since the first epoch.
        loss: the weighted sum, the mean over the epoch's steps.
        terms: the same of each term, not weighted.
        rates: of AdamW's groups, old before new, as in the last step.
        precision: macro P@10 of the validation part among the training part.
        random: what comes out at random there.
        train_s: seconds of the steps.
        validation_s: seconds of the validation.
        images_per_s: of the steps.
    """

    epoch: int
    step: int
    loss: float
    terms: Mapping[str, float]
    rates: tuple[float, ...]
    precision: float
    random: float
    train_s: float
    validation_s: float
    images_per_s: float

    @property
    def validated(self) -> str:
        """The precision, in a few words."""
        return f"macro P@10 {self.precision:.4f}"

    @property
    def chance(self) -> str:
        """What comes out at random, in a few words."""
        return f"random {self.random:.4f}"

    def to_dict(self) -> dict[str, JSON]:
        """Plain values, for a line of JSON; ``from_dict`` takes them back exactly."""
        return asdict(self) | {"terms": dict(self.terms), "rates": list(self.rates)}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Rebuild from ``to_dict``."""
        rates = tuple(cast("list[float]", values["rates"]))
        return cls(**{**values, "rates": rates})  # type: ignore[arg-type]  # what to_dict gave


def best_of(history: tuple[EpochDone, ...]) -> EpochDone | None:
    """The epoch with the greatest precision, the first of equals; None of no epochs."""
    return max(history, key=lambda each: each.precision, default=None)
