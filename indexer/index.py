"""An index, opened for searching."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from cbir.errors import FingerprintError, SpecError
from cbir.types import Hit, Item, Query
from indexer.info import IndexInfo, index_info
from indexer.manifest import MODEL
from indexer.opened import Opened, open_generation
from indexer.searcher import Searcher
from indexer.stores import STORES, Generation, Store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from cbir.extractors.spec import ExtractorSpec
    from indexer.records import JSON, FileRecord
    from indexer.stores.store import Device
    from indexer.verify import VerifyReport


class Index:
    """One published generation of an index; stays what it was while a writer publishes newer ones.

    Threads may share it. Processes open their own (never across ``fork``).
    """

    def __init__(
        self, path: Path, opened: Opened, spec: ExtractorSpec, store: str, device: Device = "auto"
    ) -> None:
        """Not to be called: see ``open``."""
        self._path = path
        self._manifest = opened.manifest
        self._catalog = opened.catalog
        self._embeddings = opened.embeddings
        self._spec = spec

        def make_store() -> Store:
            generation = Generation(path, self.fingerprint, opened.embeddings, opened.catalog, device)
            return STORES[store].open(generation, opened.manifest.store, opened.store_files)

        self._searcher = Searcher(
            opened.catalog, opened.embeddings, make_store, rows_per_item=opened.manifest.rows_per_item
        )

    @classmethod
    def open(
        cls, path: Path, *, store: str | None = None, resident: bool = True, device: Device = "auto"
    ) -> Self:
        """Open the newest generation.

        The model is checked against its checksums here, the catalog before its first answer, embeddings
        and store files before their first use: opening takes as long for a million items as for ten.

        Args:
            path: of the index directory.
            store: search with this one of STORES instead of the index's own.
            resident: False for a program that asks once: NumPy reads the embeddings where they lie, and
                FAISS is not even imported. True keeps them in memory, for many queries.
            device: where large batches are searched by a store that can use a GPU.

        Raises:
            IndexMissingError: nothing is there, or it is not an index.
            IndexDamagedError: a file is missing or does not fit its checksum.
            SpecError: no such store.
        """
        if store is not None and store not in STORES:
            raise SpecError(f"There is no store {store!r}; choose one of {', '.join(STORES)}.")
        opened = open_generation(path)
        try:
            kind = (store or opened.manifest.store.kind) if resident else "exact"
            return cls(path, opened, opened.manifest.extractor_spec(), kind, device)
        except BaseException:
            opened.catalog.close()
            raise

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

    def __len__(self) -> int:
        """Items."""
        return self._manifest.n_items

    def search(
        self,
        query: Query,
        k: int,
        *,
        exclude_same_group: bool = False,
        among: frozenset[str] | None = None,
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

        Raises:
            ValueError: ``k`` below 1.
            FingerprintError: the query comes from another extractor.
            VectorError: the embedding is not finite, not unit, or of another dimension.
            SpecError: ``exclude_same_group`` with a query that has no group.
            IndexDamagedError: embeddings or store do not fit their checksums.
        """
        return self.search_many([query], k, exclude_same_group=exclude_same_group, among=among)[0]

    def search_many(
        self,
        queries: Sequence[Query],
        k: int,
        *,
        exclude_same_group: bool = False,
        among: frozenset[str] | None = None,
    ) -> list[list[Hit]]:
        """Search for many queries in one go; the hits of each as ``search`` gives them."""
        if k < 1:
            raise ValueError(f"k is {k}; ask for at least 1 hit.")
        for query in queries:
            if query.fingerprint != self.fingerprint:
                raise FingerprintError(
                    f"Index {str(self._path)!r} was built with {self._spec.name} "
                    f"({self.fingerprint[:8]}…), the query comes from another extractor "
                    f"({query.fingerprint[:8]}…). Search with the index's own: drop --extractor."
                )
        return self._searcher.search(queries, k, exclude_same_group=exclude_same_group, among=among)

    def query(self, item_id: str) -> Query:
        """The item as a query, with the embeddings of all its parts, and its group.

        Raises:
            KeyError: no such item.
        """
        item, head = self._found(item_id)
        parts = self._embeddings.gather(np.array(self._catalog.parts_of(head)))
        return Query(parts if len(parts) > 1 else parts[0], self.fingerprint, item_id, item.group)

    def item(self, item_id: str) -> Item:
        """The item.

        Raises:
            KeyError: no such item.
        """
        return self._found(item_id)[0]

    def items(self) -> Iterator[Item]:
        """Every item, by id."""
        return self._catalog.items()

    def items_by_content(self, sha256: str) -> list[Item]:
        """The items whose file has these bytes, by frame, then id."""
        return self._catalog.items_of_content(sha256)

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
        return self._catalog.content(self._found(item_id)[1]).notes

    def labels(self) -> dict[str, int]:
        """How many items each label has, by label; items without one are left out."""
        return self._catalog.labels()

    def files(self) -> Iterator[FileRecord]:
        """Every file that was found, in byte order of the paths."""
        return self._catalog.files()

    def skipped(self) -> Iterator[FileRecord]:
        """The files that became no item, with their reasons."""
        return self._catalog.files("skipped")

    def memo(self, key: str) -> JSON:
        """What a writer kept under this name, or None."""
        return self._catalog.memo(key)

    def info(self) -> IndexInfo:
        """Counts, sizes, times and versions."""
        return index_info(self._manifest, self._catalog, self._spec.name)

    def verify(self) -> VerifyReport:
        """Check every file, count, embedding and a sample of searches; slow on purpose."""
        from indexer.verify import verify_index

        return verify_index(self._path)

    def close(self) -> None:
        """Let go of files and memory; closing twice is fine."""
        self._searcher.close()
        self._catalog.close()

    def _found(self, item_id: str) -> tuple[Item, int]:
        found = self._catalog.item(item_id)
        if found is None:
            raise KeyError(item_id)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
