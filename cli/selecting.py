"""Some items of an index, as the user names them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cbir.items.part import Selection
    from cbir.items.where import Condition


def selection(who: str | None) -> Selection | None:
    """An items file where there is one of this name, else a column and its values; None for all."""
    from cbir.items.part import Listed, Part

    if who is None:
        return None
    return Listed.read(who) if Path(who).is_file() else Part.parse(who)


def condition(text: str | None) -> Condition | None:
    """What ``--where`` asks for; None for nothing.

    Raises:
        WhereError: it can't be understood.
    """
    if text is None:
        return None
    from cbir.items.where import parse_where

    return parse_where(text)
