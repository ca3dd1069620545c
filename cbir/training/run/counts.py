"""How many images, patients and classes each part has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cbir.training.material import PARTS

if TYPE_CHECKING:
    from cbir.training.material import Material, Part


@dataclass(frozen=True, slots=True)
class PartCount:
    """Of one part.

    Args:
        part: its name.
        n_images: labelled ones.
        n_groups: patients.
        by_class: images of each class, in the material's order.
    """

    part: Part
    n_images: int
    n_groups: int
    by_class: tuple[int, ...]


def count_parts(material: Material) -> list[PartCount]:
    """Count every part, empty ones too."""
    counts = []
    for part in PARTS:
        rows = material.rows(part)
        by_class = np.bincount(material.codes[rows], minlength=len(material.classes))
        n_groups = len({material.groups[row] for row in rows})
        counts.append(PartCount(part, len(rows), n_groups, tuple(by_class.tolist())))
    return counts
