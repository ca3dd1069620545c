"""The one writer of an index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from cbir.errors import SpecError
from indexer.manifest import MODEL
from indexer.storage.vectors import unit_parts
from indexer.stores import STORES
from indexer.writing import compact, edits
from indexer.writing.edits import Annotations
from indexer.writing.scratch import Scratch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    import numpy as np
    from numpy.typing import NDArray

    from cbir.extractors.spec import ExtractorSpec
    from cbir.types import Scalar
    from indexer.attachments import Attachment, ItemValues
    from indexer.manifest import StoreRef
    from indexer.storage.records import JSON, FileRecord, NewImage
    from indexer.stores.qdrant.connection import QdrantConnection
    from indexer.stores.store import Device


class IndexWriter:
    """Holds the writer's lock and collects changes until ``commit`` publishes them in one step.

    Readers see the last commit until then; leaving the ``with`` block without one gives the changes up.
    One thread at a time may call it. After an IndexWriteError the published index is as it was: free
    space and open a new writer.
    """

    def __init__(self, scratch: Scratch, spec: ExtractorSpec) -> None:
        """Not to be called: see ``create`` and ``open``."""
        self._scratch = scratch
        self._catalog = scratch.catalog
        self._spec = spec

    @classmethod
    def create(
        cls,
        path: Path,
        spec: ExtractorSpec,
        fill_model: Callable[[Path], None],
        *,
        store: str = "faiss",
        server: QdrantConnection | None = None,
    ) -> Self:
        """Make an empty index (generation 0, published at once) and hold its lock.

        Args:
            path: of the directory; made when missing.
            spec: of the extractor whose vectors will come.
            fill_model: writes the exported networks into the directory it is given.
            store: which of STORES to build later; ``build_store`` can change it.
            server: where a store that can be served is to be.

        Raises:
            IndexWriteError: an index or something else is there already, or the disk refused.
            IndexLockedError: another process is writing.
            SpecError: no such store.
        """
        _check_store(store)
        return cls(Scratch.start(path, spec, fill_model, store=store, server=server), spec)

    @classmethod
    def open(cls, path: Path, *, server: QdrantConnection | None = None) -> Self:
        """Hold the lock of an index that exists; removes what a killed writer left behind.

        Args:
            path: of the index directory.
            server: of its store, where that is on one; None goes where the index says, without a key.

        Raises:
            IndexMissingError: nothing is there.
            IndexDamagedError: the manifest or the catalog does not fit its checksum.
            IndexLockedError: another process is writing.
        """
        scratch = Scratch.resume(path, server)
        try:
            return cls(scratch, scratch.manifest.extractor_spec())
        except BaseException:
            scratch.close()
            raise

    @property
    def path(self) -> Path:
        """Of the index directory."""
        return self._scratch.path

    @property
    def spec(self) -> ExtractorSpec:
        """The extractor of the index."""
        return self._spec

    @property
    def model_dir(self) -> Path:
        """Where the exported networks are; checked when the writer was opened."""
        return self._scratch.path / MODEL

    @property
    def generation(self) -> int:
        """Of the last commit."""
        return self._scratch.manifest.generation

    @property
    def store(self) -> StoreRef:
        """Which store answers, as of the last commit."""
        return self._scratch.manifest.store

    @property
    def n_rows(self) -> int:
        """Embeddings, as of the last commit."""
        return self._scratch.manifest.n_rows

    @property
    def n_items(self) -> int:
        """Items, uncommitted ones with them."""
        return self._catalog.n_items()

    def n_items_without(self, column: str) -> int:
        """How many items have no value of a column, uncommitted ones with them."""
        from indexer.asking.column import read_columns

        return int((read_columns(self._catalog, [column])[column].codes < 0).sum())

    def file(self, path: str) -> FileRecord | None:
        """What is known of a path."""
        return self._catalog.file(path)

    def paths(self) -> Iterator[str]:
        """Every known path, skipped files too, in byte order; a snapshot, safe to change under."""
        return (record.path for record in self._catalog.files())

    def has_content(self, sha256: str) -> bool:
        """Whether a file with these bytes has embeddings here (even if its items were removed since)."""
        return self._catalog.has_content(sha256)

    def paths_with(self, sha256: str) -> list[str]:
        """The paths whose file had these bytes, in byte order.

        One that is gone from the disk was moved; one that is there has a duplicate.
        """
        return self._catalog.paths_of(sha256)

    def instance(self, instance: str) -> tuple[str, str] | None:
        """(sha256, pixels_sha256) of the live item with this SOPInstanceUID hash, or None."""
        return self._catalog.instance(instance)

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
            ValueError: boxes, but not one a part.
            IndexWriteError: the disk refused.
        """
        dim = self._scratch.manifest.dim
        parts = [_checked_parts(image, dim) for image in images]
        said = Annotations(label, group, metadata or {})
        with self._scratch.editing() as connection:
            frames = [
                (image.frame, self._scratch.head_of(connection, image, vectors))
                for image, vectors in zip(images, parts, strict=True)
            ]
            edits.put_file(connection, record, self.generation + 1)
            edits.set_items(connection, record.path, frames, said)

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
        said = Annotations(label, group, metadata or {})
        frames = self._catalog.frames_of(record.sha256 or "")
        if not frames:
            raise ValueError(f"No file with the sha256 {record.sha256} is in the index: use add_file.")
        with self._scratch.editing() as connection:
            edits.put_file(connection, record, self.generation + 1)
            edits.set_items(connection, record.path, frames, said)

    def move_file(self, old_path: str, record: FileRecord) -> None:
        """Carry the items of ``old_path`` over to ``record.path``; ids, labels and embeddings stay.

        Raises:
            ValueError: ``old_path`` is not known, or had other bytes.
        """
        before = self._catalog.file(old_path)
        if before is None or before.sha256 != record.sha256:
            known = "not known" if before is None else f"known with the sha256 {before.sha256}"
            raise ValueError(f"The file to move is {known}, not with {record.sha256}.")
        with self._scratch.editing() as connection:
            if old_path != record.path:
                edits.delete_items_of(connection, record.path)
                edits.move_items(connection, old_path, record.path)
                edits.delete_file(connection, old_path)
            edits.put_file(connection, record, self.generation + 1)

    def note_duplicate(self, record: FileRecord) -> None:
        """Account for a file whose image is an item already under other bytes: no item of its own."""
        with self._scratch.editing() as connection:
            edits.delete_items_of(connection, record.path)
            edits.put_file(connection, record, self.generation + 1)

    def note_file(self, record: FileRecord) -> None:
        """Renew the size, time, reason or detail of a path, items untouched (the same bytes, touched)."""
        with self._scratch.editing() as connection:
            edits.put_file(connection, record, self.generation + 1)

    def skip_file(self, record: FileRecord) -> None:
        """Account for a file that became no item; items that the path had before are removed."""
        with self._scratch.editing() as connection:
            edits.delete_items_of(connection, record.path)
            edits.put_file(connection, record, self.generation + 1)

    def update_annotations(
        self, path: str, *, label: str | None, group: str | None, metadata: Mapping[str, Scalar]
    ) -> bool:
        """Set label, group and metadata of a path's items; True when that changed something.

        A group of None gives back the images' own groups.
        """
        before = self._scratch.changed
        with self._scratch.editing() as connection:
            changed = edits.annotate(connection, path, Annotations(label, group, metadata))
        self._scratch.changed = before or changed
        return changed

    def remove(self, item_ids: Iterable[str]) -> int:
        """Remove items; the number that were there. A file with no item left is forgotten with them."""
        before = self._scratch.changed
        with self._scratch.editing() as connection:
            removed = edits.delete_items(connection, item_ids)
        self._scratch.changed = before or removed > 0
        return removed

    def remove_paths(self, paths: Iterable[str]) -> int:
        """Forget files and remove their items; the number of items that were there."""
        with self._scratch.editing() as connection:
            return edits.delete_files(connection, paths)

    def memo(self, key: str) -> JSON:
        """What ``set_memo`` stored, or None."""
        return self._catalog.memo(key)

    def set_memo(self, key: str, value: JSON) -> None:
        """Keep a JSON value with the index, for example where its files came from."""
        if self.memo(key) != value:
            with self._scratch.editing() as connection:
                edits.put_memo(connection, key, value)

    def attachments(self) -> list[str]:
        """The names under which something is attached, uncommitted too."""
        return self._scratch.attached.names

    def attachment(self, name: str) -> Attachment:
        """What is attached under a name, uncommitted too.

        Raises:
            AttachmentError: nothing.
        """
        return self._scratch.attached.read(name)

    def attach(
        self,
        name: str,
        *,
        settings: JSON,
        files: Mapping[str, Path] | None = None,
        values: ItemValues | None = None,
    ) -> None:
        """Keep something with the index; what had the name before is replaced, all of it.

        Args:
            name: of a-z, 0-9 and ``-``.
            settings: given back as they are.
            files: to copy, by their path in the attachment's folder; they may be another attachment's.
            values: of items, the uncommitted with them.

        Raises:
            SpecError: a name that can't be.
            VectorError: values of another shape, or not finite.
            IndexWriteError: a file can't be read, or the disk refused.
        """
        attached, files = self._scratch.attached, files or {}
        attached.check(name, files, values)
        with self._scratch.attaching():
            attached.put(name, settings, files, values)

    def set_attachment(self, name: str, settings: JSON) -> None:
        """Change the settings of what is attached; files and values stay.

        Raises:
            AttachmentError: nothing is.
            IndexWriteError: the disk refused.
        """
        self.attachment(name)
        with self._scratch.attaching():
            self._scratch.attached.set_settings(name, settings)

    def detach(self, name: str) -> None:
        """Remove what is attached under a name.

        Raises:
            AttachmentError: nothing is.
        """
        self.attachment(name)
        with self._scratch.attaching():
            self._scratch.attached.remove(name)

    def commit(self) -> int:
        """Publish every change so far in one step; the generation, a new one when anything changed.

        Raises:
            IndexWriteError: the disk refused; readers still see the last commit.
            BackendError: the store is on a server that did not take the changes; likewise.
        """
        self._scratch.commit()
        return self.generation

    def build_store(self, kind: str | None = None, *, device: Device = "auto", anew: bool = False) -> None:
        """Commit, and build the store where its kind and the number of rows call for it.

        Args:
            kind: of STORES; None keeps the index's. One that can be served is made on the writer's server.
            device: where a store that can use a GPU is built.
            anew: build it even where what is there is good enough (or damaged: nobody looks).

        Raises:
            SpecError: no such kind.
            BackendError: the server did not take it.
        """
        following, before = self._scratch.following, self._scratch.manifest.store.kind
        _check_store(kind or before)
        if (following.is_live and kind in (None, before)) or (kind and following.can_serve(kind)):
            compact.serve_store(self._scratch, kind or before, anew=anew)
        else:
            compact.build_store(self._scratch, kind or before, device, anew=anew)

    def compact(self, *, device: Device = "auto") -> int:
        """Commit; then drop embeddings without items, merge blocks, rebuild the store. Embeddings dropped."""
        n_dropped = compact.drop_dead_rows(self._scratch)
        self.build_store(anew=self._scratch.following.is_live, device=device)
        return n_dropped

    def close(self) -> None:
        """Give up what was not committed, and the lock."""
        self._scratch.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _checked_parts(image: NewImage, dim: int) -> NDArray[np.float32]:
    vectors = unit_parts(image.embedding, dim)
    if image.boxes and len(image.boxes) != len(vectors):
        raise ValueError(
            f"An image has {len(vectors)} parts and {len(image.boxes)} boxes: give a box a part, or none."
        )
    return vectors


def _check_store(kind: str) -> None:
    if kind not in STORES:
        raise SpecError(f"There is no store {kind!r}; choose one of {', '.join(STORES)}.")
