"""The optimiser of a stage, and its rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from torch.optim import SGD, Adam, AdamW

from cbir.training.loop.optimise import on_cosine, optimiser_tensors, restore_optimisers

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer

    from classifiers.recipe import Stage

_FALLS = 1e-4
"""By this share a loss must be lower to count as falling; as torch has it."""

_METHODS: Mapping[str, Callable[[list[nn.Parameter], Stage], Optimizer]] = {
    "adam": lambda learning, stage: Adam(learning, lr=stage.rate, weight_decay=stage.weight_decay),
    "adamw": lambda learning, stage: AdamW(learning, lr=stage.rate, weight_decay=stage.weight_decay),
    "sgd": lambda learning, stage: SGD(
        learning, lr=stage.rate, weight_decay=stage.weight_decay, momentum=stage.momentum
    ),
}


def rate_of(stage: Stage, epochs: float, losses: Sequence[float]) -> float:
    """The rate of a stage.

    Args:
        stage: says its schedule.
        epochs: of the stage that are done, whole and begun ones.
        losses: of the validation part, after each whole one.

    Source: the schedule ``plateau`` is torch's ReduceLROnPlateau, without a state of its own: a resumed run
    has the same losses.
    """
    if stage.schedule == "cosine":
        return stage.rate * on_cosine(epochs / stage.epochs)
    if stage.schedule == "constant":
        return stage.rate
    rate, lowest, n_borne = stage.rate, math.inf, 0
    for loss in losses:
        if loss < lowest * (1 - _FALLS):
            lowest, n_borne = loss, 0
            continue
        n_borne += 1
        if n_borne > stage.plateau:
            rate, n_borne = rate * stage.factor, 0
    return rate


class StageOptimiser:
    """The optimiser of one stage, as the loop steps it.

    Args:
        stage: says which, and the rates.
        learning: the parameters.
        first: how many epochs there were before the stage.
        losses: of the validation part after each of the stage's epochs so far.
    """

    def __init__(
        self, stage: Stage, learning: list[nn.Parameter], *, first: int, losses: Sequence[float] = ()
    ) -> None:
        self._stage, self._first, self._losses = stage, first, list(losses)
        self._each = (_METHODS[stage.optimiser](learning, stage),)

    def take(self, loss: float) -> None:
        """Hear of the validation part's loss after an epoch."""
        self._losses.append(loss)

    def set_rates(self, epochs: float) -> tuple[float, ...]:
        """Put the rate where it is after so many epochs of the training, and give it."""
        rate = rate_of(self._stage, epochs - self._first, self._losses)
        for group in self._each[0].param_groups:
            group["lr"] = rate
        return (rate,)

    def step(self) -> None:
        """Step, and forget the gradients."""
        self._each[0].step()
        self._each[0].zero_grad(set_to_none=True)

    def tensors(self) -> dict[str, Tensor]:
        """All that it remembers, by flat names."""
        return optimiser_tensors(self._each)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take back what ``tensors`` gave."""
        restore_optimisers(self._each, tensors)
