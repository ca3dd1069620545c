"""Tenants: an index may keep its items apart by the value of a column, and show each tenant its own alone.

An item without a value of the column belongs to no tenant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbir.errors import SpecError, TenantError
from cbir.printable import printable

if TYPE_CHECKING:
    from pathlib import Path

    from cbir.items.where import Condition, Scalar
    from cbir.types import Item
    from indexer.catalog import Catalog
    from indexer.index import Index
    from indexer.writer import IndexWriter

_COLUMN = "tenant_column"


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose items are shown.

    Args:
        column: that keeps the items of an index apart.
        name: the tenant's value of it, as text.
    """

    column: str
    name: str

    def is_named(self, value: Scalar | None) -> bool:
        """Whether a value of the column is this tenant's name; the number 7 is named ``7``."""
        from cbir.items.table import as_text

        return as_text(value) == self.name

    def owns(self, item: Item) -> bool:
        """Whether the item is the tenant's."""
        from cbir.items.where import value_of

        return self.is_named(value_of(item, self.column))

    def condition(self, values: tuple[Scalar, ...]) -> Condition:
        """That an item is the tenant's, for those who know no tenants; its items have these values."""
        from cbir.items.where import Compare, OneOf

        return Compare(self.column, "=", values[0]) if len(values) == 1 else OneOf(self.column, values)


def tenant_column(index: Index | IndexWriter | Catalog) -> str | None:
    """The column that keeps the items of an index apart; None for an index without tenants."""
    memo = index.memo(_COLUMN)
    return memo if isinstance(memo, str) else None


def remember_tenant_column(writer: IndexWriter, column: str) -> None:
    """Keep the items of an index apart from now on.

    Raises:
        SpecError: they are kept apart by another column.
    """
    before = tenant_column(writer)
    if before not in (None, column):
        raise SpecError(
            f"Index {writer.path} keeps its tenants apart by column {printable(before)!r}, now "
            f"{printable(column)!r} was asked for. Build another index, or leave out --tenant."
        )
    writer.set_memo(_COLUMN, column)


def notes_of_tenants(writer: IndexWriter) -> dict[str, int]:
    """How many items of an index with tenants are nobody's; nothing where each is somebody's."""
    column = tenant_column(writer)
    n_items = writer.n_items_without(column) if column else 0
    if not column or not n_items:
        return {}
    return {
        f"items without a value of the tenant column {printable(column)!r}, which no tenant sees": n_items
    }


def chosen_tenant(catalog: Catalog, path: Path, name: str | None) -> Tenant | None:
    """The tenant that is asked for; None asks for the whole index.

    Raises:
        TenantError: the index keeps no tenants.
    """
    if name is None:
        return None
    column = tenant_column(catalog)
    if column is None:
        raise TenantError(
            f"Index {str(path)!r} keeps no tenants, and tenant {printable(name)!r} was asked for. "
            "Leave out --tenant (or CBIR_TENANT), or build the index with --tenant COLUMN."
        )
    return Tenant(column, name)
