"""What rows are to a search, kept in memory for the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.catalog import Catalog, Place

_MAX_ROWS = 100_000


class Places:
    """The items of rows; threads may share it."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._kept: dict[int, Place] = {}

    def of(self, rows: list[int]) -> list[Place]:
        """The place of each row."""
        kept = self._kept
        missing = [row for row in rows if row not in kept]
        if missing:
            if len(kept) > _MAX_ROWS:
                self._kept = kept = {row: kept[row] for row in rows if row in kept}
            kept.update(self._catalog.places_of(missing))
        return [kept[row] for row in rows]
