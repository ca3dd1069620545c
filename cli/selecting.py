"""Some items of an index, as the user names them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cbir.items.part import Selection


def selection(who: str | None) -> Selection | None:
    """An items file where there is one of this name, else a column and its values; None for all."""
    from cbir.items.part import Listed, Part

    if who is None:
        return None
    return Listed.read(who) if Path(who).is_file() else Part.parse(who)
