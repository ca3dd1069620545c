"""Which parts of an image are looked at."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self, TypeAlias, cast, get_args

from cbir.errors import SpecError
from cbir.images.tiles import TileGrid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbir.images.steps import JSON

Keep: TypeAlias = Literal["mean", "parts"]
"""``mean``: the unit vectors of an image's tiles are averaged. ``parts``: each is an embedding of its own,
and an image is as like a query as its likest part."""


@dataclass(frozen=True, slots=True)
class TileSpec:
    """Overlapping tiles, each an image for the branches.

    Args:
        grid: where they lie.
        keep: what becomes of their vectors.

    Raises:
        SpecError: another ``keep``.
    """

    grid: TileGrid
    keep: Keep = "mean"

    def __post_init__(self) -> None:
        if self.keep not in get_args(Keep):
            raise SpecError(f"Tiles: keep is {self.keep!r}; use {' or '.join(get_args(Keep))}.")

    def to_dict(self) -> dict[str, JSON]:
        """Plain values, for JSON; ``from_dict`` takes them back exactly."""
        return {**dataclasses.asdict(self.grid), "keep": self.keep}

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Rebuild from ``to_dict``; what is left out takes its default.

        Raises:
            SpecError: a key or value that makes no sense.
        """
        grid = TileGrid.from_dict({key: value for key, value in values.items() if key != "keep"})
        return cls(grid, cast("Keep", values.get("keep", "mean")))
