"""What every refinement is: a value that turns one way of searching a gallery into another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

from cbir.errors import SpecError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cbir.types import Hit, Query

MAX_DEPTH = 2000
"""Hits that a refinement looks at: it compares each with each."""


class Gallery(Protocol):
    """What may be found, and how it is searched. Whatever it gives for a query, that query may find."""

    def search(self, queries: Sequence[Query], k: int) -> list[list[Hit]]:
        """The ``k`` best hits of each query, ordered by (−score, item id), ranks from 1."""
        ...

    def vectors(self, query: Query, hits: Sequence[Hit]) -> list[NDArray[np.float32]]:
        """The embeddings of some hits of a query: (n_parts, dim) each, unit rows."""
        ...


class Refinement(Protocol):
    """A way to search better; off unless asked for. Implemented by frozen dataclasses.

    Their fields are what ``--refine NAME:FIELD=VALUE`` sets: whole or decimal numbers with a default.
    """

    grid: ClassVar[Mapping[str, tuple[float, ...]]]
    """The values that tuning tries, by field."""

    def over(self, gallery: Gallery) -> Gallery:
        """The gallery, searched so."""
        ...


def refuse_outside(what: str, value: float, least: float, most: float) -> None:
    """Check a number of a refinement.

    Raises:
        SpecError: it is not from ``least`` to ``most``, or no number.
    """
    if not least <= value <= most:
        raise SpecError(f"{what} is {value:g}; use a number from {least:g} to {most:g}.")


def refuse_beyond(name: str, depth: int, k: int) -> None:
    """Check that a refinement ranks as many hits anew as are asked for.

    Raises:
        SpecError: ``k`` is more than ``depth``.
    """
    if k > depth:
        deeper = f", or write {name}:depth={k}" if k <= MAX_DEPTH else ""
        raise SpecError(
            f"{name} ranks the {depth} best hits anew, and {k} are asked for: ask for fewer{deeper}."
        )
