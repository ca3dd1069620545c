"""What the loop is put together from: it knows neither the recipes, nor the losses, nor what is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from cbir.images.steps import JSON
    from cbir.training.recipe import Batches, Named


class LoopRecipe(Protocol):
    """What the loop and its feed ask a recipe."""

    @property
    def augment(self) -> Sequence[Named]:
        """Of ``AUGMENTATIONS``, in their order."""
        ...

    @property
    def batches(self) -> Batches:
        """Of a step."""
        ...

    @property
    def side_px(self) -> int | None:
        """Of what the network gets; None as its start has it."""
        ...

    @property
    def seed(self) -> int:
        """Of everything that is drawn."""
        ...

    @property
    def rates_hint(self) -> str:
        """The settings to lower when a loss is no number, with their values."""
        ...

    def to_dict(self) -> dict[str, JSON]:
        """The page."""
        ...


class Losses(Protocol):
    """What is made small: a sum of named terms, of what the network answers and the labels."""

    @property
    def names(self) -> Sequence[str]:
        """Of the terms."""
        ...

    def __call__(self, *args: Any) -> Mapping[str, Tensor]:
        """Measure every term of the network's answers, which come first, and the labels' codes."""
        ...

    def total(self, measured: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum."""
        ...

    def to(self, device: torch.device) -> object:
        """Move to a device."""
        ...

    def state_dict(self) -> Mapping[str, Tensor]:
        """All that it remembers."""
        ...

    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> object:
        """Take back what ``state_dict`` gave."""
        ...


class Optimising(Protocol):
    """What makes it small."""

    def set_rates(self, epochs: float) -> tuple[float, ...]:
        """Put the rates where they are after so many epochs, and give them."""
        ...

    def step(self) -> None:
        """Step, and forget the gradients."""
        ...

    def tensors(self) -> Mapping[str, Tensor]:
        """All that it remembers, by flat names."""
        ...

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take back what ``tensors`` gave."""
        ...


class EpochTold(Protocol):
    """An epoch, as whoever watches hears of it."""

    @property
    def epoch(self) -> int:
        """From 1."""
        ...

    @property
    def loss(self) -> float:
        """The mean over the epoch's steps."""
        ...

    @property
    def images_per_s(self) -> float:
        """Of the steps."""
        ...

    @property
    def validated(self) -> str:
        """What the validation part says, in a few words."""
        ...

    @property
    def chance(self) -> str:
        """What would come out there without having learnt anything, in a few words."""
        ...

    def to_dict(self) -> dict[str, JSON]:
        """Plain values, for a line of JSON."""
        ...
