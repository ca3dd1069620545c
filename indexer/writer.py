"""The one writer of an index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from cbir.types import Scalar
from indexer.records import JSON, FileRecord, NewImage

if TYPE_CHECKING:
    from cbir.extractors.spec import ExtractorSpec


class IndexWriter:
    """Holds the writer's lock and collects changes until ``commit`` publishes them in one step.

    Readers see the last commit until then; leaving the ``with`` block without one gives the changes up.
    One thread at a time may call it. After an IndexWriteError the published index is as it was: free
    space and open a new writer.
    """

    @classmethod
    def create(cls, path: Path, spec: ExtractorSpec, fill_model: Callable[[Path], None], *, store: str = "faiss") -> Self:
        """Make an empty index (generation 0, published at once) and hold its lock.

        Args:
            path: of the directory; made when missing.
            spec: of the extractor whose vectors will come.
            fill_model: writes the exported networks into the directory it is given.
            store: which of STORES to build later; ``build_store`` can change it.

        Raises:
            IndexWriteError: an index or something else is there already, or the disk refused.
            IndexLockedError: another process is writing.
        """
        raise NotImplementedError

    @classmethod
    def open(cls, path: Path) -> Self:
        """Hold the lock of an index that exists; removes what a killed writer left behind.

        Raises:
            IndexMissingError: nothing is there.
            IndexDamagedError: the manifest or the catalog does not fit its checksum.
            IndexLockedError: another process is writing.
        """
        raise NotImplementedError

    @property
    def spec(self) -> ExtractorSpec:
        """The extractor of the index."""
        raise NotImplementedError

    @property
    def generation(self) -> int:
        """Of the last commit."""
        raise NotImplementedError

    @property
    def n_items(self) -> int:
        """Items, uncommitted ones with them."""
        raise NotImplementedError

    @property
    def n_pending(self) -> int:
        """Embeddings added since the last commit."""
        raise NotImplementedError

    def file(self, path: str) -> FileRecord | None:
        """What is known of a path."""
        raise NotImplementedError

    def paths(self) -> Iterator[str]:
        """Every known path, skipped files too, in byte order; a snapshot, safe to change under."""
        raise NotImplementedError

    def has_content(self, sha256: str) -> bool:
        """Whether a file with these bytes has embeddings here (even if its items were removed since)."""
        raise NotImplementedError

    def paths_with(self, sha256: str) -> list[str]:
        """The paths whose file had these bytes, in byte order: gone from disk means moved, there means duplicate."""
        raise NotImplementedError

    def instance(self, instance: str) -> tuple[str, str] | None:
        """(sha256, pixels_sha256) of the live item with this SOPInstanceUID hash, or None."""
        raise NotImplementedError

    def add_file(
        self,
        record: FileRecord,
        images: Sequence[NewImage],
        *,
        label: str | None = None,
        group: str | None = None,
        metadata: Mapping[str, Scalar] | None = None,
    ) -> None:
        """Add a file with its embeddings; items that the path had before are replaced and keep their ids.

        Args:
            record: its ``sha256`` is that of every image.
            images: one a frame; a frame whose bytes are known already keeps its old embedding.
            label: of all its items.
            group: of all its items; None takes each image's own.
            metadata: beside the image's info; wins over it.

        Raises:
            VectorError: an embedding that is not finite, unit or of the spec's dimension; nothing is added.
            IndexWriteError: the disk refused.
        """
        raise NotImplementedError

    def link_file(
        self,
        record: FileRecord,
        *,
        label: str | None = None,
        group: str | None = None,
        metadata: Mapping[str, Scalar] | None = None,
    ) -> None:
        """Add a file whose bytes are known: items of its own on the embeddings that are there.

        Raises:
            ValueError: the bytes are not known (ask ``has_content``).
        """
        raise NotImplementedError

    def move_file(self, old_path: str, record: FileRecord) -> None:
        """Carry the items of ``old_path`` over to ``record.path``; ids, labels and embeddings stay.

        Raises:
            ValueError: ``old_path`` is not known, or had other bytes.
        """
        raise NotImplementedError

    def note_duplicate(self, record: FileRecord) -> None:
        """Account for a file whose image is an item already under other bytes: no item of its own."""
        raise NotImplementedError

    def note_file(self, record: FileRecord) -> None:
        """Renew the size, time, reason or detail of a path, items untouched (the same bytes, touched)."""
        raise NotImplementedError

    def skip_file(self, record: FileRecord) -> None:
        """Account for a file that became no item; items that the path had before are removed."""
        raise NotImplementedError

    def update_annotations(
        self, path: str, *, label: str | None, group: str | None, metadata: Mapping[str, Scalar]
    ) -> bool:
        """Set label, group and metadata of a path's items; True when that changed something.

        A group of None gives back the images' own groups.
        """
        raise NotImplementedError

    def remove(self, item_ids: Iterable[str]) -> int:
        """Remove items; the number that were there. A file with no item left is forgotten with them."""
        raise NotImplementedError

    def remove_paths(self, paths: Iterable[str]) -> int:
        """Forget files and remove their items; the number of items that were there."""
        raise NotImplementedError

    def memo(self, key: str) -> JSON:
        """What ``set_memo`` stored, or None."""
        raise NotImplementedError

    def set_memo(self, key: str, value: JSON) -> None:
        """Keep a JSON value with the index, for example where its files came from."""
        raise NotImplementedError

    def commit(self) -> int:
        """Publish every change so far in one step; the generation, a new one when anything changed.

        Raises:
            IndexWriteError: the disk refused; readers still see the last commit.
        """
        raise NotImplementedError

    def build_store(self, kind: str | None = None) -> None:
        """Commit, and build the store's files where its kind and the number of rows call for them.

        Args:
            kind: of STORES; None keeps the index's.

        Raises:
            SpecError: no such kind.
        """
        raise NotImplementedError

    def compact(self) -> int:
        """Commit; then drop embeddings without items, merge blocks, rebuild the store. Embeddings dropped."""
        raise NotImplementedError

    def close(self) -> None:
        """Give up what was not committed, and the lock."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
