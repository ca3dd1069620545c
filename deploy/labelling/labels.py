"""The labels of an index: which column, what is calibrated for it, and the items under that label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cbir.errors import ColumnError, UnlabelledError
from cbir.items.ordinal import label_order
from cbir.items.table import as_text
from cbir.types import Hit, Item
from classifiers.labels import LabelCalibration, LabelModel

if TYPE_CHECKING:
    from indexer.index import Index

ATTACHMENT = "labels"
"""Under which an index keeps its calibration."""


@dataclass(frozen=True, slots=True)
class Labelling:
    """What predicts the labels of an index.

    Args:
        by: a calibration, or the plain vote where none fits.
        column: that holds the label.
        note: why nothing is calibrated, and what to do; empty where it is.
    """

    by: LabelCalibration | LabelModel
    column: str
    note: str = ""

    @property
    def model(self) -> LabelModel:
        """Of the probabilities."""
        return self.by.model if isinstance(self.by, LabelCalibration) else self.by


def labelling_of(index: Index) -> Labelling:
    """What an index knows about its labels.

    Raises:
        UnlabelledError: no item has a label, and nothing is calibrated.
        ColumnError: the index has lost the column that was calibrated.
    """
    made = kept_calibration(index)
    if made is not None and made.source.is_of(index.fingerprint, index.generation):
        return Labelling(made, made.source.column)
    column = "label" if made is None else made.source.column
    counts = label_counts(index, column)
    advice = f"cbir classify calibrate -i {index.path} --label {column}"
    if made is None:
        return Labelling(LabelModel.unfitted(counts), column, f"not calibrated; do so with {advice}")
    if why := made.stale(fingerprint=index.fingerprint, generation=index.generation, counts=counts):
        model = LabelModel.unfitted(counts, made.model.k)
        return Labelling(model, column, f"no longer calibrated: {why}; again with {advice}")
    return Labelling(made, column)


def kept_calibration(index: Index) -> LabelCalibration | None:
    """What an index keeps, whether it still fits or not."""
    if ATTACHMENT not in index.attachments():
        return None
    said = index.attachment(ATTACHMENT).settings
    return LabelCalibration.from_dict(said)  # type: ignore[arg-type]  # as calibrate wrote it, under a checksum


def label_counts(index: Index, column: str) -> dict[str, int]:
    """How many items have each label of a column, in the labels' order.

    Raises:
        UnlabelledError: no item has a label.
        ColumnError: no item has the column.
    """
    found = index.values([column])[0]
    if not found.values:
        names = {each.name for each in index.columns()} | {"label"}
        if column not in names:
            raise ColumnError(str(index.path), column, names)
        raise UnlabelledError(
            f"No item of index {index.path} has a {column}, so that nothing says what an image is. Give "
            "them one: cbir index update SRC --labels FILE; or name another: cbir classify calibrate --label."
        )
    counts: Counter[str] = Counter()
    for value, count in zip(found.values, found.counts.tolist(), strict=True):
        if (label := as_text(value)) is not None:
            counts[label] += count
    return {label: counts[label] for label in label_order(counts) or sorted(counts)}


def labelled_hits(hits: Iterable[Hit], column: str) -> list[Hit]:
    """The hits, their items labelled by a column."""
    return [replace(hit, item=labelled(hit.item, column)) for hit in hits]


def labelled(item: Item, column: str) -> Item:
    """The item, labelled by a column; without a label where it has no value of it."""
    if column == "label":
        return item
    value = item.group if column == "group" else as_text(item.metadata.get(column))
    return replace(item, label=value)
