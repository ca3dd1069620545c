"""What a tenant sees of a catalog: its own items and their files, and nothing of others'."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from indexer.ingesting.memos import SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cbir.types import Item
    from indexer.asking.columns import Columns
    from indexer.asking.tenants import Tenant
    from indexer.catalog import Catalog, Content, ImageKey
    from indexer.storage.records import JSON, FileRecord, Outcome
    from indexer.storage.same import Shared


class TenantView:
    """Answers what ``Catalog`` answers, of a tenant's items."""

    def __init__(self, catalog: Catalog, columns: Columns, tenant: Tenant) -> None:
        self._catalog = catalog
        self._columns = columns
        self._tenant = tenant

    def n_items(self) -> int:
        """How many items."""
        return len(self._columns.heads)

    def n_contents(self) -> int:
        """How many rows they have, all parts."""
        return self._columns.n_rows()

    def n_dead_rows(self) -> int:
        """None: a row without items is nobody's."""
        return 0

    def item(self, item_id: str) -> tuple[Item, int] | None:
        """An item and its head row; None where it is somebody else's."""
        found = self._catalog.item(item_id)
        return found if found and self._tenant.owns(found[0]) else None

    def items(self) -> Iterator[Item]:
        """Every item, by id."""
        return filter(self._tenant.owns, self._catalog.items())

    def items_of_content(self, sha256: str) -> list[Item]:
        """The items with these bytes, by frame, then id."""
        return list(filter(self._tenant.owns, self._catalog.items_of_content(sha256)))

    def images_of(self, ids: Sequence[str]) -> dict[str, ImageKey]:
        """Which image each item has; ids that are no items of the tenant's are left out."""
        return self._catalog.images_of([each for each in ids if self.item(each)])

    def items_that_share(self, what: Shared) -> list[list[str]]:
        """The ids of the items of every image that there is more than once among them, by id."""
        shared = self._catalog.items_that_share(what)
        own = [[item_id for item_id in ids if self.item(item_id)] for ids in shared]
        return [ids for ids in own if len(ids) > 1]

    def labels(self) -> dict[str, int]:
        """How many items each label has, by label."""
        counts = Counter(item.label for item in self.items() if item.label is not None)
        return dict(sorted(counts.items()))

    def files(self, outcome: Outcome | None = None) -> Iterator[FileRecord]:
        """The files of the items, in byte order of the paths; a skipped one is nobody's."""
        paths = {item.path for item in self.items()}
        return (record for record in self._catalog.files(outcome) if record.path in paths)

    def outcomes(self) -> dict[str, int]:
        """How many files had each outcome."""
        return dict(sorted(Counter(str(record.outcome) for record in self.files()).items()))

    def memo(self, key: str) -> JSON:
        """What a writer kept, but where everybody's files come from."""
        return None if key == SOURCES else self._catalog.memo(key)

    def content(self, row: int) -> Content:
        """What is known of an image, by the head row of an item."""
        return self._catalog.content(row)

    def parts_of(self, head: int) -> list[int]:
        """The rows of an item's image, part 0 first."""
        return self._catalog.parts_of(head)
