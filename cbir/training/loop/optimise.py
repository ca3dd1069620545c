"""The optimisers of a recipe, their rates on one cosine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

if TYPE_CHECKING:
    from cbir.training.loop.network import TrainedNetwork
    from cbir.training.losses.create import WeightedLosses
    from cbir.training.recipe import NetworkRecipe

_OWN_RATE = "rate"


class Optimisers:
    """AdamW for the network, and SGD for each loss that has parameters and a rate of its own.

    Args:
        recipe: the rates.
        network: its parameters, old and new apart.
        losses: parameters of a loss without a rate learn as the network's new ones do.
    """

    def __init__(self, recipe: NetworkRecipe, network: TrainedNetwork, losses: WeightedLosses) -> None:
        self._network, self._epochs = network, recipe.epochs
        self._clip = recipe.optimiser.clip
        owners = [term for term in losses.terms if _OWN_RATE in term.settings]
        own = {id(p) for term in owners for p in losses.losses[term.name].parameters()}
        shared = [p for p in losses.parameters() if id(p) not in own]
        old = [p for p in network.old() if p.requires_grad]
        groups = ((old, recipe.optimiser.old_rate), ([*network.new(), *shared], recipe.optimiser.new_rate))
        self._bases = [rate for parameters, rate in groups if parameters]
        adamw = AdamW(
            [{"params": parameters, "lr": rate} for parameters, rate in groups if parameters],
            weight_decay=recipe.optimiser.weight_decay,
        )
        # A loss's own parameters see it whole, whatever its weight in the sum.
        sgds = [
            SGD(losses.losses[term.name].parameters(), lr=term.numbers[_OWN_RATE] / term.weight)
            for term in owners
        ]
        self.each: tuple[Optimizer, ...] = (adamw, *sgds)

    def set_rates(self, epochs: float) -> tuple[float, ...]:
        """Put AdamW's rates where they are on the cosine after so many epochs; give them."""
        factor = on_cosine(epochs / self._epochs)
        rates = tuple(base * factor for base in self._bases)
        for group, rate in zip(self.each[0].param_groups, rates, strict=True):
            group["lr"] = rate
        return rates

    def step(self) -> None:
        """Clip the network's gradient, step, and forget the gradients."""
        nn.utils.clip_grad_norm_(self._network.parameters(), self._clip)
        for optimiser in self.each:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    def tensors(self) -> dict[str, Tensor]:
        """All that they remember, by flat names."""
        return optimiser_tensors(self.each)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take back what ``tensors`` gave."""
        restore_optimisers(self.each, tensors)


def on_cosine(done: float) -> float:
    """From 1 down to 0, after this share of the way."""
    return (1 + math.cos(math.pi * done)) / 2


def optimiser_tensors(optimisers: Sequence[Optimizer]) -> dict[str, Tensor]:
    """All that optimisers remember, by flat names."""
    return {
        f"{number}.{place}.{key}": value
        for number, optimiser in enumerate(optimisers)
        for place, entries in optimiser.state_dict()["state"].items()
        for key, value in entries.items()
        if isinstance(value, Tensor)
    }


def restore_optimisers(optimisers: Sequence[Optimizer], tensors: Mapping[str, Tensor]) -> None:
    """Give optimisers back what ``optimiser_tensors`` took of them."""
    states: list[dict[int, dict[str, Tensor]]] = [{} for _ in optimisers]
    for name, tensor in tensors.items():
        number, place, key = name.split(".", 2)
        states[int(number)].setdefault(int(place), {})[key] = tensor
    for optimiser, state in zip(optimisers, states, strict=True):
        optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
