"""How often what is known of items changed under rows that were there already.

Payloads that a store wrote before the last time are out of date: the store then filters by the mask alone.
New images on new rows change nothing, nor does removing an item: its row is dead, or others share it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.asking.tenant_view import TenantView
    from indexer.catalog import Catalog

ITEM_CHANGES = "item_changes"
"""The memo, and the setting of a store that was built then."""

COUNT_THEM = f"""
CREATE TEMP TRIGGER item_joins BEFORE INSERT ON items
    WHEN EXISTS (SELECT 1 FROM items WHERE row = NEW.row) OR NEW.row IN (SELECT row FROM dead_rows) BEGIN
    INSERT INTO memo VALUES ('{ITEM_CHANGES}', '1') ON CONFLICT (key) DO UPDATE SET value = value + 1;
END;
CREATE TEMP TRIGGER item_annotated AFTER UPDATE OF label, grp, metadata ON items BEGIN
    INSERT INTO memo VALUES ('{ITEM_CHANGES}', '1') ON CONFLICT (key) DO UPDATE SET value = value + 1;
END;
"""  # noqa: S608 - a name of ours
"""Of a writer's own connection: the file knows nothing of it."""


def item_changes(catalog: Catalog | TenantView) -> int:
    """How often it was."""
    count = catalog.memo(ITEM_CHANGES)
    return count if isinstance(count, int) else 0
