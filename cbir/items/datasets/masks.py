"""Lesion boxes from masks; somebody else looks at the pixels, in processes that may die of them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from cbir.items.datasets.release import Release, Row, box


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of an image, which may be a mask.

    Args:
        size: width and height in pixels.
        is_mask: whether it has two values, as masks have and pictures have not.
        box: left, top, width and height of what it marks, in pixels; None when it marks nothing.
    """

    size: tuple[int, int]
    is_mask: bool
    box: tuple[int, int, int, int] | None


class LookAt(Protocol):
    """Looks at image files."""

    def __call__(self, paths: Sequence[str]) -> Mapping[str, Seen]:
        """Say what was seen, by the path; files that can't be read are left out."""
        ...


_BROKEN = "can't be read: no boxes of them"
_OTHER_SIZE = "have another size than their image: no boxes of them"
_NO_MASK = "lie where a mask should be, but are none: no boxes of them"
_NO_IMAGE = "belong to images that can't be read: no boxes of them"
_GONE = "are not there: no boxes of them"


def with_boxes(release: Release, look_at: LookAt | None) -> Release:
    """Give the rows with masks the boxes of their lesions, and say of what there is none.

    Args:
        release: as read; rows without masks stay as they are.
        look_at: is given every image that has masks, and its masks, once; None leaves them unread.

    Returns:
        The release with boxes and further notes. An empty mask has no box, and that is no fault.
    """
    masked = [row for row in release.rows if row.masks]
    if not masked:
        return release
    if look_at is None:
        n_masks = sum(len(row.masks) for row in masked)
        return replace(release, notes=(*release.notes, f"{n_masks} masks were not read: no boxes of lesions"))
    files = [path for row in masked if any(row.masks) for path in (row.path, *itertools.chain(*row.masks))]
    seen = look_at(list(dict.fromkeys(files))) if files else {}
    faults: Counter[str] = Counter()
    rows = tuple(_with_boxes(row, seen, faults) if row.masks else row for row in release.rows)
    notes = tuple(f"{n} masks {fault}" for fault, n in faults.items())
    return replace(release, rows=rows, notes=(*release.notes, *notes))


def _with_boxes(row: Row, seen: Mapping[str, Seen], faults: Counter[str]) -> Row:
    boxes = []
    for lesion in row.masks:
        found = _mask(seen.get(row.path), lesion, seen)
        if isinstance(found, str):
            faults[found] += 1
        elif found.box is not None:
            left, top, width, height = found.box
            boxes.append(box(left, top, left + width, top + height))
    return replace(row, lesion_box=";".join(boxes) or None)


def _mask(image: Seen | None, paths: Sequence[str], seen: Mapping[str, Seen]) -> Seen | str:
    """The one of the files that is a mask of the image, or why there is none."""
    if not paths:
        return _GONE
    if image is None:
        return _NO_IMAGE
    masks = [seen[path] for path in paths if path in seen and seen[path].is_mask]
    if fitting := [mask for mask in masks if mask.size == image.size]:
        return next((mask for mask in fitting if mask.box is not None), fitting[0])
    if masks:
        return _OTHER_SIZE
    return _NO_MASK if all(path in seen for path in paths) else _BROKEN
