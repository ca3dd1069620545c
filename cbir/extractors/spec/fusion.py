"""How branches become one vector."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self, TypeAlias, get_args

from cbir.errors import SpecError
from cbir.extractors.entries import entry_list, number_entry, only_keys, text_entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbir.images.steps import JSON

FusionMethod: TypeAlias = Literal["l2", "raw", "score"]
"""``l2``: each branch to unit length, times its weight, joined. ``raw``: joined as they come, as the
super-ensemble's paper does. ``score``: as ``l2`` with the weights' square roots, so that the cosine of two
fused vectors is the weighted mean of the branches' cosines. All of them end at unit length."""


@dataclass(frozen=True, slots=True)
class FusionSpec:
    """How branches become one vector.

    Args:
        method: see ``FusionMethod``.
        weights: one a branch, each > 0; of ``raw`` all equal.

    Raises:
        SpecError: another method, or a weight that is not a positive number.
    """

    method: FusionMethod = "l2"
    weights: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        if self.method not in get_args(FusionMethod):
            raise SpecError(f"Fusion method is {self.method!r}; use {', '.join(get_args(FusionMethod))}.")
        if not self.weights or not all(weight > 0 and math.isfinite(weight) for weight in self.weights):
            raise SpecError(f"Fusion weights are {list(self.weights)}; use one positive number a branch.")
        if self.method == "raw" and len(set(self.weights)) > 1:
            raise SpecError(f"Fusion raw has weights {list(self.weights)}; it takes none: use l2.")

    def to_dict(self) -> dict[str, JSON]:
        """Plain values, for JSON; ``from_dict`` takes them back exactly."""
        return {"method": self.method, "weights": list(self.weights)}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Rebuild from ``to_dict``.

        Raises:
            SpecError: a key or value that makes no sense.
        """
        only_keys("fusion", values, ("method", "weights"))
        weights = tuple(number_entry("fusion weights", weight) for weight in entry_list(values, "weights"))
        return cls(text_entry("fusion", values, "method"), weights)  # type: ignore[arg-type]  # checked above
