"""Which parts of a whole slide are looked at, and how closely."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from cbir.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cbir.images.steps import JSON

MPP_AT_1X = 10.0
"""Microns a pixel, by the custom that 20x is 0.5."""

_MPP = (0.05, 100.0)
_TILE_PX = (32, 4096)
_MAX_OVERLAP = 0.75
_MAX_TILES = 65536


@dataclass(frozen=True, slots=True)
class SlideSpec:
    """Square tiles of a stated scale where there is tissue; each is an embedding of its own.

    Args:
        mpp: microns a pixel that the tiles are brought to; 0.05 to 100. 20x is 0.5.
        tile_px: a tile's side at that scale, before a branch's own resize; 32 to 4096.
        overlap: of neighbours, as a share of the side, at least; 0 to 0.75.
        min_tissue: tiles with a smaller share of tissue are left out; 0 to 1, 0 takes all.
        max_tiles: of a slide; of more, this many are taken, evenly spread over them; 1 to 65,536.

    Raises:
        SpecError: a value out of its range.
    """

    mpp: float
    tile_px: int
    overlap: float = 0.0
    min_tissue: float = 0.5
    max_tiles: int = 4096

    def __post_init__(self) -> None:
        for name, low, high in (
            ("mpp", *_MPP),
            ("overlap", 0.0, _MAX_OVERLAP),
            ("min_tissue", 0.0, 1.0),
        ):
            value = getattr(self, name)
            if not _is_number(value) or not low <= value <= high:
                raise SpecError(f"Slides: {name} is {value!r}; use a number from {low:g} to {high:g}.")
        for name, least, most in (("tile_px", *_TILE_PX), ("max_tiles", 1, _MAX_TILES)):
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise SpecError(f"Slides: {name} is {value!r}; use a whole number from {least} to {most}.")

    def to_dict(self) -> dict[str, JSON]:
        """Plain values, for JSON; ``from_dict`` takes them back exactly."""
        return dict(dataclasses.asdict(self))

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Rebuild from ``to_dict``, or from a page that says ``magnification`` in the place of ``mpp``.

        Raises:
            SpecError: an unknown key, not exactly one scale, no ``tile_px``, or a value out of its range.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        if unknown := sorted(set(values) - {*known, "magnification"}):
            raise SpecError(
                f"Slides: unknown key {unknown[0]!r}; it knows magnification, {', '.join(known)}."
            )
        if ("mpp" in values) == ("magnification" in values):
            raise SpecError("Slides: say either magnification (20) or mpp (0.5), one of them.")
        if "tile_px" not in values:
            raise SpecError("Slides: tile_px is missing; say how many pixels a tile's side has.")
        rest = {key: value for key, value in values.items() if key != "magnification"}
        if "magnification" in values:
            rest["mpp"] = _mpp(values["magnification"])
        return cls(**rest)  # type: ignore[arg-type]  # __post_init__ checks


def _mpp(magnification: object) -> float:
    if not isinstance(magnification, int | float) or not _is_number(magnification) or magnification <= 0:
        raise SpecError(f"Slides: magnification is {magnification!r}; use a number above 0, such as 20.")
    return MPP_AT_1X / magnification


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
