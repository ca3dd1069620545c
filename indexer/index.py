"""An index, opened for searching."""

from __future__ import annotations

from functools import cached_property, partial
from itertools import compress
from typing import TYPE_CHECKING, Self

import numpy as np

from cbir.errors import SpecError
from cbir.types import Hit, Item, Query
from indexer.asking.question import check_question
from indexer.asking.searcher import Searcher
from indexer.asking.tenants import Tenant, chosen_tenant, tenant_column
from indexer.info import IndexInfo, index_info
from indexer.manifest import MODEL
from indexer.storage.opened import Opened, open_generation
from indexer.stores import STORES, Generation, Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from cbir.extractors.spec import ExtractorSpec
    from cbir.items.where import Condition
    from indexer.asking.column import Column
    from indexer.asking.column_info import ColumnInfo
    from indexer.asking.columns import Columns
    from indexer.asking.tenant_view import TenantView
    from indexer.attachments import Attachment
    from indexer.catalog import Catalog
    from indexer.storage.records import JSON, FileRecord
    from indexer.storage.same import Shared
    from indexer.stores.qdrant.connection import QdrantConnection
    from indexer.stores.store import Device
    from indexer.verify import VerifyReport


_ASK_ONCE_ROWS = 200_000
"""Above this many, reading a store's files takes less time than comparing every row once."""


class Index:
    """One published generation of an index; stays what it was while a writer publishes newer ones.

    Threads may share it. Processes open their own (never across ``fork``).
    """

    def __init__(
        self,
        path: Path,
        opened: Opened,
        spec: ExtractorSpec,
        *,
        store: str,
        tenant: Tenant | None,
        device: Device,
        server: QdrantConnection | None,
        lent: Searcher | None = None,
    ) -> None:
        """Not to be called: see ``open``."""
        self._path = path
        self._manifest = opened.manifest
        self._catalog = opened.catalog
        self._embeddings = opened.embeddings
        self._spec = spec
        self._server = server
        self._tenant = tenant
        self._shown = opened.catalog if tenant is None else _view(opened.catalog, self._columns, tenant)
        self._of_tenant = partial(type(self), path, opened, spec, store=store, device=device, server=server)

        def make_store() -> Store:
            if lent is not None:
                return lent.store()
            generation = Generation(
                path,
                self.fingerprint,
                opened.embeddings,
                opened.catalog,
                device,
                number=self.generation,
                server=server,
            )
            return STORES[store].open(generation, opened.manifest.store, opened.store_files)

        self._searcher = Searcher(
            opened.catalog, opened.embeddings, make_store, lambda: self._columns,
            all_shown=tenant is None, rows_per_item=opened.manifest.rows_per_item,
        )  # fmt: skip

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        store: str | None = None,
        resident: bool = True,
        device: Device = "auto",
        tenant: str | None = None,
        server: QdrantConnection | None = None,
    ) -> Self:
        """Open the newest generation.

        The model is checked against its checksums here, the catalog before its first answer, embeddings
        and store files before their first use: opening takes as long for a million items as for ten.

        Args:
            path: of the index directory.
            store: search with this one of STORES instead of the index's own.
            resident: False for a program that asks once: up to a size NumPy reads the embeddings where they
                lie, and FAISS is not even imported; a store on a server is asked either way. True keeps them
                in memory, for many queries.
            server: of its store, where that is on one; None goes where the index says, without a key.
            device: where large batches are searched by a store that can use a GPU.
            tenant: of an index that keeps tenants, whose items every method shows, and no others. None, for
                administration, shows all, and can't search.

        Raises:
            IndexMissingError: nothing is there, or it is not an index.
            IndexDamagedError: a file is missing or does not fit its checksum.
            SpecError: no such store.
            TenantError: a tenant, of an index that keeps none.
        """
        if store is not None and store not in STORES:
            raise SpecError(f"There is no store {store!r}; choose one of {', '.join(STORES)}.")
        opened = open_generation(path)
        try:
            own = opened.manifest.store
            is_served = store is None and STORES[own.kind].live(own, server) is not None
            kind = (store or own.kind) if resident or is_served or _is_large(opened) else "exact"
            chosen = chosen_tenant(opened.catalog, path, tenant)
            return cls(
                path,
                opened,
                opened.manifest.extractor_spec(),
                store=kind,
                tenant=chosen,
                device=device,
                server=server,
            )
        except BaseException:
            opened.catalog.close()
            raise

    def for_tenant(self, name: str) -> Index:
        """The same generation as a tenant sees it, over the same files and memory: close this one alone.

        Raises:
            TenantError: the index keeps no tenants.
        """
        tenant = chosen_tenant(self._catalog, self._path, name)
        return self._of_tenant(tenant=tenant, lent=self._searcher)

    @property
    def path(self) -> Path:
        """Of the index directory."""
        return self._path

    @property
    def spec(self) -> ExtractorSpec:
        """The extractor whose vectors are in it."""
        return self._spec

    @property
    def fingerprint(self) -> str:
        """Of the spec; a query must carry the same."""
        return self._manifest.fingerprint

    @property
    def generation(self) -> int:
        """Which commit this is."""
        return self._manifest.generation

    @property
    def dim(self) -> int:
        """Of the embeddings."""
        return self._manifest.dim

    @property
    def model_dir(self) -> Path:
        """Where the exported networks are; checked when the index was opened."""
        return self._path / MODEL

    @property
    def tenant(self) -> str | None:
        """Whose items are shown; None for all."""
        return None if self._tenant is None else self._tenant.name

    @cached_property
    def tenant_column(self) -> str | None:
        """The column that keeps the items apart; None for an index without tenants."""
        return tenant_column(self._catalog)

    def __len__(self) -> int:
        """Items."""
        return self._manifest.n_items if self._tenant is None else self._shown.n_items()

    def search(
        self,
        query: Query,
        k: int,
        *,
        exclude_same_group: bool = False,
        among: frozenset[str] | None = None,
        where: Condition | None = None,
    ) -> list[Hit]:
        """Find the ``k`` items most like the query.

        The score is the cosine, in [-1, 1], right to 1e-6; equal scores are ordered by item id. Of images in
        parts it is the greatest of any part of the query with any part of the item, and the hit says which
        box of the item that is. There are ``min(k, eligible)`` hits, each another item. A query that is
        itself an item never finds itself, nor what it is ``without``.

        Args:
            query: its embedding is checked: finite, unit within 1e-3, of the index's dimension.
            k: at least 1.
            exclude_same_group: leave out every item of the query's groups, and every copy of such an item
                (the same bytes) whatever its group, before the cut.
            among: ids of the items that may be found; None for all. Pass the same set again: it is turned
                into rows once.
            where: holds for the items that may be found; None for all. What it comes to is kept for the next
                query that asks for the same.

        Raises:
            ValueError: ``k`` below 1.
            FingerprintError: the query comes from another extractor.
            VectorError: the embedding is not finite, not unit, or of another dimension.
            SpecError: ``exclude_same_group`` with a query that has no group.
            ColumnError: ``where`` asks for a column that no item has.
            WhereError: ``where`` compares a column with a kind of value that it does not hold.
            TenantError: the index keeps tenants, and was opened for none.
            IndexDamagedError: embeddings or store do not fit their checksums.
        """
        return self.search_many([query], k, exclude_same_group=exclude_same_group, among=among, where=where)[
            0
        ]

    def search_many(
        self,
        queries: Sequence[Query],
        k: int,
        *,
        exclude_same_group: bool = False,
        among: frozenset[str] | None = None,
        where: Condition | None = None,
    ) -> list[list[Hit]]:
        """Search for many queries in one go; the hits of each as ``search`` gives them."""
        check_question(self, queries, k)
        return self._searcher.search(
            queries, k, exclude_same_group=exclude_same_group, among=among, where=where
        )

    def query(self, item_id: str) -> Query:
        """The item as a query, with the embeddings of all its parts, and its group.

        Raises:
            KeyError: no such item.
        """
        item, head = self._found(item_id)
        parts = self._embeddings.gather(np.array(self._shown.parts_of(head)))
        return Query(parts if len(parts) > 1 else parts[0], self.fingerprint, item_id, item.group)

    def item(self, item_id: str) -> Item:
        """The item.

        Raises:
            KeyError: no such item.
        """
        return self._found(item_id)[0]

    def items(self, *, where: Condition | None = None) -> Iterator[Item]:
        """Every item, by id; or those for which a condition holds, checked as ``search`` does."""
        if where is None:
            return self._shown.items()
        return compress(self._shown.items(), self._columns.mask(where).tolist())

    def items_by_content(self, sha256: str) -> list[Item]:
        """The items whose file has these bytes, by frame, then id."""
        return self._shown.items_of_content(sha256)

    def contents(self, ids: Sequence[str]) -> dict[str, str]:
        """The sha256, in hex, of each item's file; ids that are no items are left out."""
        return {each: sha256.hex() for each, (sha256, _) in self._shown.images_of(ids).items()}

    def items_that_share(self, what: Shared) -> list[list[str]]:
        """The ids of the items of every image that there is more than once."""
        return self._shown.items_that_share(what)

    def thumbnail(self, item_id: str) -> bytes:
        """The item's thumbnail (JPEG; empty when it has none).

        Raises:
            KeyError: no such item.
        """
        return self._embeddings.thumbnail(self._found(item_id)[1])

    def notes(self, item_id: str) -> tuple[str, ...]:
        """What reading did to the item's file.

        Raises:
            KeyError: no such item.
        """
        return self._shown.content(self._found(item_id)[1]).notes

    def labels(self) -> dict[str, int]:
        """How many items each label has, by label; items without one are left out."""
        return self._shown.labels()

    def columns(self) -> Iterator[ColumnInfo]:
        """Every column that ``where`` can ask for: what items have of themselves, then their metadata."""
        from indexer.asking.column_info import describe_columns

        return describe_columns(self._columns)

    def values(self, names: Sequence[str]) -> list[Column]:
        """What every item has in some columns, by item id; a column that no item has has no values."""
        return self._columns.read(names)

    def files(self) -> Iterator[FileRecord]:
        """Every file that was found, in byte order of the paths."""
        return self._shown.files()

    def skipped(self) -> Iterator[FileRecord]:
        """The files that became no item, with their reasons."""
        return self._shown.files("skipped")

    def memo(self, key: str) -> JSON:
        """What a writer kept under this name, or None."""
        return self._shown.memo(key)

    def attachments(self) -> list[str]:
        """The names under which something is attached."""
        from indexer.attachments.names import attached_folders

        return sorted(attached_folders(self._manifest.files))

    def attachment(self, name: str) -> Attachment:
        """What is attached under a name.

        Raises:
            AttachmentError: nothing.
            IndexDamagedError: a file of it does not fit.
        """
        from indexer.attachments.attachment import Attachment

        return Attachment(self._path, name, self._manifest.files, self._shown.images_of)

    def info(self) -> IndexInfo:
        """Counts, sizes, times and versions."""
        return index_info(self._manifest, self._shown, self._spec.name)

    def verify(self) -> VerifyReport:
        """Check every file, count, embedding and a sample of searches; slow on purpose."""
        from indexer.verify import verify_index

        return verify_index(self._path, server=self._server)

    def close(self) -> None:
        """Let go of files and memory; closing twice is fine."""
        self._searcher.close()
        self._catalog.close()

    @cached_property
    def _columns(self) -> Columns:
        from indexer.asking.columns import Columns  # who filters nothing does not pay for it

        return Columns(self._catalog, str(self._path), self._tenant)

    def _found(self, item_id: str) -> tuple[Item, int]:
        found = self._shown.item(item_id)
        if found is None:
            raise KeyError(item_id)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _view(catalog: Catalog, columns: Columns, tenant: Tenant) -> TenantView:
    from indexer.asking.tenant_view import TenantView

    return TenantView(catalog, columns, tenant)


def _is_large(opened: Opened) -> bool:
    return bool(opened.manifest.store.files) and opened.manifest.n_rows > _ASK_ONCE_ROWS
