"""What a network is trained on: labelled images, each in one of three parts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from cbir.errors import ColumnError, ItemsError
from cbir.items.audit import Audited, find_leaks
from cbir.items.ordinal import label_order
from cbir.items.split import names_alone, split_by_group, split_hash, strata
from cbir.items.table import as_text, read_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cbir.items.found import Found

Part = Literal["train", "val", "test"]
"""Weights are fitted on the first, all else is chosen on the second, and the third is measured once."""

PARTS: tuple[Part, ...] = get_args(Part)
SHARES = (50.0, 20.0, 30.0)
"""Of the groups, where no column says the part; as ``cbir items split`` deals them."""

_COLUMN = "split"


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """Labelled images in their parts.

    Args:
        source: the items file, for errors.
        images: those with a label and a part, in the file's order.
        classes: the labels; grades by their value, others by name.
        codes: (n_images,), each image's label as a place in ``classes``.
        groups: (n_images,), the patient.
        parts: (n_images,), no group is in two.
        split_hash: of the whole file's split, as ``cbir items split`` writes it.
        n_unlabelled: images left out because nobody said what they are.
        n_outside: labelled images left out because their cell in the part's column is empty.
    """

    source: str
    images: tuple[Found, ...]
    classes: tuple[str, ...]
    codes: NDArray[np.int64]
    groups: tuple[str, ...]
    parts: tuple[Part, ...]
    split_hash: str
    n_unlabelled: int = 0
    n_outside: int = 0

    @property
    def is_ordinal(self) -> bool:
        """Whether the labels are grades, so that the codes have distances."""
        return label_order(self.classes) is not None

    def rows(self, part: Part) -> NDArray[np.intp]:
        """Which images are in a part, ascending."""
        return np.flatnonzero(np.asarray(self.parts) == part)

    def take(self, rows: Sequence[int] | NDArray[np.intp]) -> Material:
        """These images alone; the classes, the split and its hash stay."""
        chosen = [int(row) for row in rows]
        return replace(
            self,
            images=tuple(self.images[row] for row in chosen),
            codes=self.codes[chosen],
            groups=tuple(self.groups[row] for row in chosen),
            parts=tuple(self.parts[row] for row in chosen),
        )

    def data_hash(self, contents: Sequence[str]) -> str:
        """Name what was trained on: the same files, labels, groups and parts, wherever they lie.

        Args:
            contents: (n_images,), each file's sha256.

        Returns:
            SHA-256, in hex, over ``content``, ``label``, ``group`` and ``part`` of each image, each followed
            by NUL, sorted.
        """
        labels = [self.classes[code] for code in self.codes]
        rows = sorted(zip(contents, labels, self.groups, self.parts, strict=True))
        text = "".join(f"{cell}\0" for row in rows for cell in row)
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def read_material(
    path: str,
    *,
    label_column: str | None = None,
    group_column: str | None = None,
    part_column: str | None = None,
    alone: bool = False,
    shares: Sequence[float] = SHARES,
    seed: int = 0,
) -> Material:
    """Read an items file for training.

    The part is in ``split`` unless named otherwise: train, val or test. Without such a column the groups are
    dealt to the parts as ``cbir items split`` would deal them.

    Args:
        path: of the items file.
        label_column: as ``read_table``.
        group_column: likewise.
        part_column: of the items file; None takes ``split`` where there is one.
        alone: an image without a group is a group of its own.
        shares: of the groups, for train, val and test; where no column says the part.
        seed: of that split.

    Raises:
        ItemsError: the file can't be read, no image has a label, images have no group, a part has another
            name, or a group is in two parts.
    """
    table = read_table(path, label_column=label_column, group_column=group_column)
    rows = table.rows
    if not any(row.label is not None for row in rows):
        raise ItemsError(f"{path}: none of {len(rows)} images has a label. Name its column with --label.")
    groups = _groups(path, rows, alone=alone)
    parts = _stated_parts(path, rows, part_column)
    if parts is None:
        dealt = split_by_group(
            strata(zip(groups, (row.label for row in rows), strict=True)), shares, seed=seed
        )
        parts = [_part(path, "the split", dealt[group]) for group in groups]
    _check_groups(path, rows, groups, parts)
    kept = [(i, part) for i, part in enumerate(parts) if rows[i].label is not None and part is not None]
    labels = [str(rows[i].label) for i, _ in kept]
    classes = label_order(labels) or tuple(sorted(set(labels)))
    place = {name: code for code, name in enumerate(classes)}
    n_labelled = sum(row.label is not None for row in rows)
    return Material(
        source=path,
        images=tuple(rows[i] for i, _ in kept),
        classes=classes,
        codes=np.array([place[label] for label in labels], dtype=np.int64),
        groups=tuple(groups[i] for i, _ in kept),
        parts=tuple(part for _, part in kept),
        split_hash=split_hash({g: part for g, part in zip(groups, parts, strict=True) if part is not None}),
        n_unlabelled=len(rows) - n_labelled,
        n_outside=n_labelled - len(kept),
    )


def _groups(path: str, rows: Sequence[Found], *, alone: bool) -> list[str]:
    n_without = sum(row.group is None for row in rows)
    if n_without and not alone:
        raise ItemsError(
            f"{path}: {n_without} of {len(rows)} images have no group. Name the patient's column with "
            "--group, or let each of them be a group of its own with --alone."
        )
    names = names_alone([row.path for row in rows])
    return [row.group or names[row.path] for row in rows]


def _stated_parts(path: str, rows: Sequence[Found], column: str | None) -> list[Part | None] | None:
    """What a column says; None where there is none, and none was named."""
    there = rows[0].metadata
    if (column or _COLUMN) not in there:
        if column is None:
            return None
        raise ColumnError(path, column, there.keys())
    cells = [as_text(row.metadata[column or _COLUMN]) for row in rows]
    return [
        None if cell is None else _part(path, f"the column {column or _COLUMN!r}", cell) for cell in cells
    ]


def _part(path: str, where: str, name: str) -> Part:
    for part in PARTS:
        if name == part:
            return part
    raise ItemsError(
        f"{path}: {where} says {name!r}; the parts are {', '.join(PARTS)}. Make them with: cbir items split."
    )


def _check_groups(
    path: str, rows: Sequence[Found], groups: Sequence[str], parts: Sequence[Part | None]
) -> None:
    placed = [
        Audited(row.path, part, group)
        for row, group, part in zip(rows, groups, parts, strict=True)
        if part is not None
    ]
    if leaks := find_leaks(placed):
        first, second = leaks[0].first, leaks[0].second
        raise ItemsError(
            f"{path}: group {leaks[0].shared!r} is in {first.split} and in {second.split} ({first.path}, "
            f"{second.path}). Put each patient in one part: cbir items split."
        )
