"""A stage of a training: what learns, how fast, and for how long."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from cbir.errors import SpecError
from cbir.nearest import nearest
from cbir.training.recipe.entry import check_least
from classifiers.networks import Learns

if TYPE_CHECKING:
    from cbir.images.steps import JSON

Method: TypeAlias = Literal["adam", "adamw", "sgd"]
Schedule: TypeAlias = Literal["constant", "cosine", "plateau"]
"""Of the rate over a stage: as it is; on a cosine down to 0; or times a factor whenever the validation loss
falls no more."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage; its optimiser knows nothing of the one before.

    Args:
        learns: of ``Learns``; all else is frozen, its batch norm in eval mode.
        optimiser: ``adam``, ``adamw`` (its weight decay apart from the gradient) or ``sgd``.
        rate: at the beginning, between 0 and 1.
        epochs: at most.
        schedule: of the rate.
        patience: epochs of the stage without a better validation before it ends; None for no such end.
        weight_decay: from 0 to below 1.
        momentum: of ``sgd``, from 0 to below 1.
        factor: of the schedule ``plateau``, between 0 and 1.
        plateau: of that: epochs without a lower validation loss that are borne; the next one lowers the rate.

    Raises:
        SpecError: a value that is none of these.
    """

    learns: Learns
    optimiser: Method
    rate: float
    epochs: int
    schedule: Schedule = "constant"
    patience: int | None = None
    weight_decay: float = 0.0
    momentum: float = 0.9
    factor: float = 0.5
    plateau: int = 2

    def __post_init__(self) -> None:
        for key, options in (
            ("learns", get_args(Learns)),
            ("optimiser", get_args(Method)),
            ("schedule", get_args(Schedule)),
        ):
            value = getattr(self, key)
            if value not in options:
                raise SpecError(f"stage: {key} is {value!r}; {nearest(str(value), options)}")
        for key in ("rate", "factor"):
            if not 0 < getattr(self, key) < 1:
                raise SpecError(f"stage: {key} is {getattr(self, key):g}; it must be between 0 and 1.")
        for key in ("weight_decay", "momentum"):
            if not 0 <= getattr(self, key) < 1:
                raise SpecError(f"stage: {key} is {getattr(self, key):g}; it must be from 0 to below 1.")
        check_least("stage: epochs", self.epochs, 1)
        check_least("stage: plateau", self.plateau, 0)
        if self.patience is not None:
            check_least("stage: patience", self.patience, 1)

    def to_dict(self) -> dict[str, JSON]:
        """The table of a page."""
        return {key: value for key, value in asdict(self).items() if value is not None}
