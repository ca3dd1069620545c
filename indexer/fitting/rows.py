"""What is fitted on an index: the vectors of a part of its items, with labels and groups."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cbir.errors import ItemsError, SpecError
from cbir.items.part import values_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.items.part import Selection
    from cbir.types import Item
    from indexer.index import Index

_MIN_CLASSES = 2


@dataclass(frozen=True, slots=True, eq=False)
class FittingRows:
    """Embeddings and the items that they are of.

    Args:
        items: (n,), by id; with a label where one was asked for. One with several parts is there as often.
        vectors: (n, dim), unit rows.
        n_unlabelled: items that were left out, for they have no label.
    """

    items: tuple[Item, ...]
    vectors: NDArray[np.float32]
    n_unlabelled: int = 0

    @property
    def n_items(self) -> int:
        """Different ones."""
        return len({item.id for item in self.items})

    @property
    def labels(self) -> list[str]:
        """Of each; empty text without one."""
        return [item.label or "" for item in self.items]

    @property
    def groups(self) -> list[str | None]:
        """Of each."""
        return [item.group for item in self.items]


def fitting_rows(index: Index, part: Selection | None = None, *, label: str | None = None) -> FittingRows:
    """Take the vectors of some items out of an index.

    Args:
        index: of an extractor without a projection.
        part: which items; None for all.
        label: the column of the label, of which there must be two; None: the labels do not matter.

    Raises:
        ItemsError: no such part or column, no item with a label, or one label alone.
        SpecError: the index's vectors were imported, or are projected already.
    """
    _refuse_unfit(index)
    where = str(index.path)
    everything = list(index.items())
    items = part.of(everything, where) if part else everything
    n_all = len(items)
    if label is not None:
        # Of all items, so that a part without a single label is not a column that is not there.
        known = {item.id: value for item, value in values_of(everything, label, where)}
        items = [replace(item, label=known[item.id]) for item in items if known[item.id] is not None]
        found = {item.label for item in items}
        if len(found) < _MIN_CLASSES:
            raise ItemsError(
                f"{where}: of {n_all} items{_named(part)} {len(items)} have a {label}, of {len(found)} "
                "different values; fitting takes two. Label more, or name another column with --label."
            )
    if not items:
        raise ItemsError(f"{where} has no item to fit on. Add images: cbir index update.")
    parts = [np.atleast_2d(index.query(item.id).embedding) for item in items]
    repeated = [item for item, rows in zip(items, parts, strict=True) for _ in rows]
    return FittingRows(tuple(repeated), np.concatenate(parts), n_all - len(items))


def _refuse_unfit(index: Index) -> None:
    spec = index.spec
    if not spec.can_embed:
        raise SpecError(
            f"{str(index.path)!r} holds imported vectors ({spec.name}): there is no extractor to fit for. "
            "Build an index of images."
        )
    if spec.projection is not None:
        raise SpecError(
            f"{str(index.path)!r} holds vectors that {spec.projection.name} has projected to {spec.dim} of "
            f"{spec.fused_dim} numbers. Fit on an index of the same extractor without a projection."
        )


def _named(part: Selection | None) -> str:
    return f" with {part}" if part else ""
