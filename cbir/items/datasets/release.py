"""A public data set, and what was found of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cbir.items.datasets.files import Files
from cbir.types import Scalar


@dataclass(frozen=True, slots=True)
class Row:
    """What a release says of one image; None where it says nothing.

    Args:
        path: of the image, absolute.
        label: what it is.
        grade: ordinal, higher is worse; comparable within the data set only.
        group: the patient, or the nearest thing to it that the release names.
        view: ``CC``, ``MLO`` and so on.
        side: ``L`` or ``R``.
        density: of the breast, in the release's own letters or digits.
        lesion_box: ``x,y,width,height`` in pixels from the top left corner; several with semicolons between.
        magnification: of a microscope.
        masks: a lesion each: the files of which one is its mask; none when no such file is there.
        more: further columns.
    """

    path: str
    label: str | None = None
    grade: int | None = None
    group: str | None = None
    view: str | None = None
    side: str | None = None
    density: str | None = None
    lesion_box: str | None = None
    magnification: int | None = None
    masks: tuple[tuple[str, ...], ...] = ()
    more: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are of something, and how many the release is said to have."""

    what: str
    found: int
    published: int


@dataclass(frozen=True, slots=True)
class Release:
    """What a folder holds of a data set.

    Args:
        rows: an image each.
        counts: against the published ones.
        notes: what a user should know: what is missing, what was decided. A line each.
    """

    rows: tuple[Row, ...]
    counts: tuple[Count, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every count is the published one."""
        return all(count.found == count.published for count in self.counts)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A public data set that we can read; none is ever downloaded.

    Args:
        title: its name as its authors write it.
        home: where its release comes from.
        terms: under which it may be used, as far as we know; the release's own words count.
        read: makes rows of its files.
    """

    title: str
    home: str
    terms: str
    read: Callable[[Files], Release]


def box(x0: float, y0: float, x1: float, y1: float) -> str:
    """Write a lesion box, from two corners, in whole pixels."""
    left, top = max(int(x0), 0), max(int(y0), 0)
    return f"{left},{top},{max(round(x1) - left, 1)},{max(round(y1) - top, 1)}"


def birads_grade(text: str) -> int | None:
    """BI-RADS as a grade of 1 to 5: 4a, 4b and 4c are 4, 6 is 5; 0 (incomplete), or none, is None."""
    digits = [each for each in text if each.isdigit()]
    if not digits or digits[0] == "0":
        return None
    return min(int(digits[0]), 5)
