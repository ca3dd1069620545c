"""What an index is, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.writing.changes import ITEM_CHANGES, item_changes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from indexer.asking.tenant_view import TenantView
    from indexer.catalog import Catalog
    from indexer.manifest import Manifest, StoreRef
    from indexer.storage.records import JSON


@dataclass(frozen=True, slots=True)
class IndexInfo:
    """Counts, sizes, times and versions of one generation.

    Args:
        name: of the extractor.
        fingerprint: of the extractor.
        format: of the index directory.
        generation: how many commits there were.
        dim: of the embeddings.
        n_items: what a search can find.
        n_rows: embeddings, one a part of an image; items with the same bytes share them.
        n_dead_rows: embeddings without items, until the next compaction.
        n_files: how many files had each outcome.
        n_labels: how many items have each label.
        n_bytes: of all files of this generation.
        store: which store answers.
        store_rows: how many rows its files or points cover; those added since are searched beside it.
        store_settings: what its build chose and measured; empty for one that has no files.
        is_payload_current: whether what the store says of items is what the catalog says, so that it may
            filter by it; None for a store that says nothing of them.
        created: UTC, ISO 8601.
        updated: UTC, ISO 8601, of this generation.
        versions: of the libraries that wrote it.
    """

    name: str
    fingerprint: str
    format: int
    generation: int
    dim: int
    n_items: int
    n_rows: int
    n_dead_rows: int
    n_files: Mapping[str, int]
    n_labels: Mapping[str, int]
    n_bytes: int
    store: str
    store_rows: int
    store_settings: Mapping[str, JSON]
    is_payload_current: bool | None
    created: str
    updated: str
    versions: Mapping[str, str]


def index_info(manifest: Manifest, catalog: Catalog | TenantView, name: str) -> IndexInfo:
    """Gather what manifest and catalog say; of a tenant's items all but the size and the store."""
    return IndexInfo(
        name=name,
        fingerprint=manifest.fingerprint,
        format=manifest.format,
        generation=manifest.generation,
        dim=manifest.dim,
        n_items=catalog.n_items(),
        n_rows=catalog.n_contents(),
        n_dead_rows=catalog.n_dead_rows(),
        n_files=catalog.outcomes(),
        n_labels=catalog.labels(),
        n_bytes=sum(seal.size for seal in manifest.files.values()),
        store=manifest.store.kind,
        store_rows=manifest.store.n_rows,
        store_settings=manifest.store.settings,
        is_payload_current=_is_payload_current(manifest.store, catalog),
        created=manifest.created,
        updated=manifest.updated,
        versions=manifest.versions,
    )


def _is_payload_current(store: StoreRef, catalog: Catalog | TenantView) -> bool | None:
    written = store.settings.get(ITEM_CHANGES)
    return None if written is None else written == item_changes(catalog)
