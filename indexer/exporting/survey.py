"""What the columns of an export are: a first look at all items, which keeps nothing of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from indexer.listing import pages

if TYPE_CHECKING:
    from cbir.types import Item, Scalar
    from indexer.catalog import Catalog
    from indexer.listing import Listed

Kind = Literal["flag", "whole", "number", "text"]

ITEM = ("id", "path", "frame", "label", "group")
PART = ("part", "box")
CONTENT = ("sha256", "pixels_sha256")
EMBEDDING = "embedding"
_TAKEN = frozenset((*ITEM, *PART, *CONTENT, EMBEDDING))
_WHOLE_MOST = 2**63


@dataclass(slots=True)
class Survey:
    """What an export will hold.

    Args:
        n_items: in all.
        n_rows: of the export: one an item, or one a part of it.
        in_parts: whether any item has several parts, or a box.
        has_frames: whether any item is a later frame of its file.
        odd_path: a path that is no UTF-8, or None.
        kinds: of what each metadata column holds.
    """

    n_items: int = 0
    n_rows: int = 0
    in_parts: bool = False
    has_frames: bool = False
    odd_path: str | None = None
    kinds: dict[str, Kind] = field(default_factory=dict)

    def columns(self) -> dict[str, str]:
        """What each metadata column is called: its name, with ``metadata.`` before one that is taken."""
        return {name: f"metadata.{name}" if name in _TAKEN else name for name in sorted(self.kinds)}

    def cell(self, item: Item, name: str) -> Scalar:
        """An item's value in a metadata column, as the column's kind has it."""
        value = item.metadata.get(name)
        if value is None:
            return None
        if self.kinds[name] == "text":
            return str(value).lower() if isinstance(value, bool) else str(value)
        return float(value) if self.kinds[name] == "number" else value


def survey(catalog: Catalog) -> Survey:
    """Look at every item once."""
    found = Survey()
    for page in pages(catalog):
        for listed in page:
            _look(found, listed)
    return found


def _look(found: Survey, listed: Listed) -> None:
    item = listed.item
    found.n_items += 1
    found.n_rows += len(listed.rows)
    found.in_parts |= len(listed.rows) > 1 or listed.boxes[0] is not None
    found.has_frames |= item.frame > 0
    if found.odd_path is None and not _is_utf8(item.path):
        found.odd_path = item.path
    for name, value in item.metadata.items():
        if value is not None:
            kind = _kind(value)
            found.kinds[name] = _common(found.kinds.get(name, kind), kind)


def _kind(value: str | float | bool) -> Kind:  # noqa: FBT001 (a cell)
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int):
        return "whole" if -_WHOLE_MOST <= value < _WHOLE_MOST else "text"
    return "number" if isinstance(value, float) else "text"


def _common(one: Kind, other: Kind) -> Kind:
    if one == other:
        return one
    return "number" if {one, other} == {"whole", "number"} else "text"


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
