"""The functional groups of an enhanced multi-frame object: what holds for one frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.images.dicom.values import items

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def macro(dataset: Dataset, frame: int, sequence: str) -> Dataset | None:
    """The item of a functional group macro for a frame: its own, else the shared one, else None.

    Args:
        dataset: of the file.
        frame: from 0.
        sequence: keyword of the macro, such as ``FrameVOILUTSequence``.
    """
    own = items(dataset, "PerFrameFunctionalGroupsSequence")
    for group in [*own[frame : frame + 1], *items(dataset, "SharedFunctionalGroupsSequence")[:1]]:
        found = items(group, sequence)
        if found:
            return found[0]
    return None
