"""How a split came out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from cbir.items.ordinal import label_order
from cli.renderers.table import columns

_MAX_GRADES = 12


def render_split(splits: Sequence[str], groups: Sequence[str], grades: Sequence[str | None]) -> str:
    """A line a split: its groups, its images, and how many images of each grade.

    Args:
        splits: of each image.
        groups: likewise.
        grades: likewise; more than a dozen different ones are left out.
    """
    known = {grade for grade in grades if grade is not None}
    order: Sequence[str] = label_order(known) or sorted(known)
    order = order if len(order) <= _MAX_GRADES else ()
    n_groups = Counter(split for split, _ in set(zip(splits, groups, strict=True)))
    n_images = Counter(splits)
    n_graded = Counter(zip(splits, grades, strict=True))
    rows = [
        [
            name,
            f"{n_groups[name]} ({100 * n_groups[name] / n_groups.total():.1f} %)",
            f"{n_images[name]} ({100 * n_images[name] / n_images.total():.1f} %)",
            *(str(n_graded[name, grade]) for grade in order),
        ]
        for name in _in_order(n_images)
    ]
    return columns([["split", "groups", "images", *order], *rows])


def _in_order(names: Counter[str]) -> list[str]:
    usual = [name for name in ("train", "val", "test") if name in names]
    return usual + sorted(set(names) - set(usual))
