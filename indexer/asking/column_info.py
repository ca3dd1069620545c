"""What a column of an index holds, in numbers: for who writes a condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cbir.items.where import Kind, Scalar
    from indexer.asking.column import Column
    from indexer.asking.columns import Columns

_MAX_SHOWN = 8


@dataclass(frozen=True, slots=True)
class ColumnInfo:
    """A column.

    Args:
        name: as a condition names it.
        kinds: of its values; none where none is known.
        n_known: items that have a value.
        n_values: distinct ones.
        most: the most frequent values, with how many items have each.
        bounds: the least and the greatest value of a column of numbers; None for others.
    """

    name: str
    kinds: tuple[Kind, ...]
    n_known: int
    n_values: int
    most: tuple[tuple[Scalar, int], ...]
    bounds: tuple[float, float] | None


def describe_columns(columns: Columns) -> Iterator[ColumnInfo]:
    """Every column, in the order of ``Columns.names``."""
    for name in columns.names():
        column = columns.of(name)
        counts = column.counts
        best = np.argsort(-counts, kind="stable")[:_MAX_SHOWN].tolist()
        yield ColumnInfo(
            name=name,
            kinds=tuple(sorted(column.kinds)),
            n_known=int(counts.sum()),
            n_values=len(column.values),
            most=tuple((column.values[each], int(counts[each])) for each in best),
            bounds=_bounds(column),
        )


def _bounds(column: Column) -> tuple[float, float] | None:
    numbers = [value for value in column.values if isinstance(value, int | float)]
    return (min(numbers), max(numbers)) if column.kinds == {"number"} else None
