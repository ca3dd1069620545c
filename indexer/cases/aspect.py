"""Which side of the body an image shows, and in which view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cbir.types import Scalar

SIDE_COLUMNS = ("side", "laterality")
"""Where items say their side; the first that is known counts."""

VIEW_COLUMNS = ("view", "view_position")
"""Where they say their view, likewise."""

_SIDES = {"L": "L", "LEFT": "L", "R": "R", "RIGHT": "R"}
_NO_VIEW = frozenset(
    {"", "-", "?", "NA", "N/A", "NAN", "NONE", "NULL", "OTHER", "UNK", "UNKNOWN", "UNSPECIFIED"}
)


@dataclass(frozen=True, slots=True)
class Aspect:
    """From where an image looks; None is unknown.

    Args:
        side: ``L`` or ``R``.
        view: such as ``CC``, in capitals.
    """

    side: str | None = None
    view: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether both are."""
        return self.side is not None and self.view is not None

    def may_be(self, other: Aspect) -> bool:
        """Whether nothing that is known of both disagrees."""
        return _agree(self.side, other.side) and _agree(self.view, other.view)

    def __str__(self) -> str:
        return " ".join(each for each in (self.side, self.view) if each) or "?"


def aspect_of(metadata: Mapping[str, Scalar]) -> Aspect:
    """Read the aspect of an item's metadata; a side that is neither left nor right (both, say) is unknown."""
    sides = (_SIDES.get(_word(metadata.get(name))) for name in SIDE_COLUMNS)
    views = (_word(metadata.get(name)) for name in VIEW_COLUMNS)
    return Aspect(
        next((side for side in sides if side), None),
        next((view for view in views if view not in _NO_VIEW), None),
    )


def _word(value: Scalar) -> str:
    return "" if value is None else str(value).strip().upper()


def _agree(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other
