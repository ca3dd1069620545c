"""An index, opened for searching."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from cbir.types import Hit, Item, Query
from indexer.records import JSON, FileRecord

if TYPE_CHECKING:
    from cbir.extractors.spec import ExtractorSpec
    from indexer.info import IndexInfo
    from indexer.verify import VerifyReport


class Index:
    """One published generation of an index; stays what it was while a writer publishes newer ones.

    Threads may share it. Processes open their own (never across ``fork``).
    """

    @classmethod
    def open(cls, path: Path, *, store: str | None = None, resident: bool = True) -> Self:
        """Open the newest generation.

        The catalog and the model are checked against their checksums here, embeddings and store files
        before their first use.

        Args:
            path: of the index directory.
            store: search with this one of STORES instead of the index's own.
            resident: False for a program that asks once: NumPy reads the embeddings where they lie, and
                FAISS is not even imported. True keeps them in memory, for many queries.

        Raises:
            IndexMissingError: nothing is there, or it is not an index.
            IndexDamagedError: a file is missing or does not fit its checksum.
            SpecError: no such store.
        """
        raise NotImplementedError

    @property
    def path(self) -> Path:
        """Of the index directory."""
        raise NotImplementedError

    @property
    def spec(self) -> ExtractorSpec:
        """The extractor whose vectors are in it."""
        raise NotImplementedError

    @property
    def fingerprint(self) -> str:
        """Of the spec; a query must carry the same."""
        raise NotImplementedError

    @property
    def generation(self) -> int:
        """Which commit this is."""
        raise NotImplementedError

    @property
    def dim(self) -> int:
        """Of the embeddings."""
        raise NotImplementedError

    @property
    def model_dir(self) -> Path:
        """Where the exported networks are; checked when the index was opened."""
        raise NotImplementedError

    def __len__(self) -> int:
        """Items."""
        raise NotImplementedError

    def search(self, query: Query, k: int, *, exclude_same_group: bool = False) -> list[Hit]:
        """Find the ``k`` items most like the query.

        The score is the cosine, in [-1, 1]; equal scores are ordered by item id. There are
        ``min(k, eligible)`` hits. A query that is itself an item never finds itself.

        Args:
            query: its embedding is checked: finite, unit within 1e-3, of the index's dimension.
            k: at least 1.
            exclude_same_group: leave out every item of the query's group, before the cut.

        Raises:
            ValueError: ``k`` below 1.
            FingerprintError: the query comes from another extractor.
            VectorError: the embedding is not finite, not unit, or of another dimension.
            SpecError: ``exclude_same_group`` with a query that has no group.
            IndexDamagedError: embeddings or store do not fit their checksums.
        """
        raise NotImplementedError

    def search_many(
        self, queries: Sequence[Query], k: int, *, exclude_same_group: bool = False
    ) -> list[list[Hit]]:
        """Search for many queries in one go; the hits of each as ``search`` gives them."""
        raise NotImplementedError

    def query(self, item_id: str) -> Query:
        """The item as a query, with its embedding and group.

        Raises:
            KeyError: no such item.
        """
        raise NotImplementedError

    def item(self, item_id: str) -> Item:
        """The item.

        Raises:
            KeyError: no such item.
        """
        raise NotImplementedError

    def items(self) -> Iterator[Item]:
        """Every item, by id."""
        raise NotImplementedError

    def items_by_content(self, sha256: str) -> list[Item]:
        """The items whose file has these bytes, by frame, then id."""
        raise NotImplementedError

    def thumbnail(self, item_id: str) -> bytes:
        """The item's thumbnail (JPEG; empty when it has none).

        Raises:
            KeyError: no such item.
        """
        raise NotImplementedError

    def notes(self, item_id: str) -> tuple[str, ...]:
        """What reading did to the item's file.

        Raises:
            KeyError: no such item.
        """
        raise NotImplementedError

    def labels(self) -> dict[str, int]:
        """How many items each label has, by label; items without one are left out."""
        raise NotImplementedError

    def files(self) -> Iterator[FileRecord]:
        """Every file that was found, in byte order of the paths."""
        raise NotImplementedError

    def skipped(self) -> Iterator[FileRecord]:
        """The files that became no item, with their reasons."""
        raise NotImplementedError

    def memo(self, key: str) -> JSON:
        """What a writer kept under this name, or None."""
        raise NotImplementedError

    def info(self) -> IndexInfo:
        """Counts, sizes, times and versions."""
        raise NotImplementedError

    def verify(self) -> VerifyReport:
        """Check every file, count, embedding and a sample of searches; slow on purpose."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of files and memory; closing twice is fine."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
