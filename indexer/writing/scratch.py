"""What a writer works on: a copy of the catalog that nobody else sees, until it is published."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from cbir.errors import IndexWriteError
from indexer.attachments.attaching import Attaching
from indexer.catalog import Catalog
from indexer.formats import FORMAT, upgrade_catalog
from indexer.manifest import MODEL, Manifest, StoreRef, read_manifest
from indexer.storage.durable import Seal, refused
from indexer.storage.lock import WriterLock
from indexer.storage.sealed import check_file, copy_checked, damaged
from indexer.writing import edits, publish
from indexer.writing.following import Following
from indexer.writing.pending import Pending

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from cbir.extractors.spec import ExtractorSpec
    from indexer.storage.records import NewImage
    from indexer.stores.qdrant.connection import QdrantConnection

_CATALOG = "catalog.sqlite"


class Scratch:
    """The lock, the manifest last published, the catalog being changed, the rows being added."""

    def __init__(
        self,
        path: Path,
        lock: WriterLock,
        manifest: Manifest,
        connection: sqlite3.Connection,
        server: QdrantConnection | None = None,
    ) -> None:
        self.path = path
        self.manifest = manifest
        self.catalog = Catalog(connection)
        self.pending = Pending(path, manifest)
        self.attached = Attaching(path, manifest, self.catalog)
        self.following = Following(path, self.catalog, connection, manifest.store, server)
        self.changed = False
        self._connection = connection
        self._lock = lock
        self._broken = False
        self._closed = False

    @classmethod
    def start(
        cls,
        path: Path,
        spec: ExtractorSpec,
        fill_model: Callable[[Path], None],
        *,
        store: str,
        server: QdrantConnection | None = None,
    ) -> Self:
        """Begin a new index and publish it, empty."""
        publish.start_directory(path)
        with _locked(path) as lock:
            publish.start_directory(path)  # nobody was quicker
            manifest = publish.first_manifest(path, spec, fill_model, store=store)
            scratch = cls(path, lock, manifest, _connect(path, new=True), server)
            try:
                with scratch.publishing():
                    scratch.publish(manifest, {})
            except BaseException:
                scratch.close()
                raise
            return scratch

    @classmethod
    def resume(cls, path: Path, server: QdrantConnection | None = None) -> Self:
        """Take up an index that exists, without what a killed writer left."""
        read_manifest(path)  # says that it is missing before a lock file is made
        with _locked(path) as lock:
            manifest = read_manifest(path)
            publish.remove_leftovers(path, manifest)
            catalog = path / manifest.catalog
            try:
                for name, seal in manifest.files.items():
                    if name.startswith(f"{MODEL}/"):
                        check_file(path / name, seal)
                copy_checked(catalog, path / publish.SCRATCH / _CATALOG, manifest.files[manifest.catalog])
            except FileNotFoundError as error:
                raise damaged(Path(error.filename), "it is missing") from error
            scratch = cls(path, lock, manifest, _connect(path, new=False), server)
            try:
                scratch.upgrade()
            except BaseException:
                scratch.close()
                raise
            return scratch

    def upgrade(self) -> None:
        """Bring a catalog of an older format to today's; the next commit publishes it."""
        if self.manifest.format < FORMAT:
            with self.editing() as connection:
                upgrade_catalog(connection, self.manifest.format)

    @contextlib.contextmanager
    def editing(self) -> Iterator[sqlite3.Connection]:
        """Change the catalog; an error of the disk inside leaves the writer unusable."""
        with self.publishing():
            self.changed = True
            yield self._connection

    @contextlib.contextmanager
    def attaching(self) -> Iterator[None]:
        """Change what is attached; likewise."""
        with self.publishing():
            self.changed = True
            yield

    @contextlib.contextmanager
    def publishing(self) -> Iterator[None]:
        """Anything that writes: what goes wrong in the middle can't be gone on from."""
        if self._broken or self._closed:
            why = "closed" if self._closed else "stopped by an error"
            raise IndexWriteError(f"The writer of {str(self.path)!r} was {why}. Open a new one.")
        self._broken = True
        try:
            yield
        except sqlite3.Error as error:
            raise IndexWriteError(
                f"Could not write the catalog of {str(self.path)!r}: {error}. The index is as it was at its "
                "last commit; make room or repair the disk, and run again to go on."
            ) from error
        self._broken = False

    def head_of(self, connection: sqlite3.Connection, image: NewImage, vectors: NDArray[np.float32]) -> int:
        """The head row of an image; where its bytes are not known, its embeddings are added."""
        head = edits.head_of(connection, image.sha256, image.frame)
        if head is None:
            rows = self.pending.add_image(vectors, image.thumbnail)
            edits.put_image(connection, rows, image)
            head = rows[0]
        return head

    def commit(self) -> None:
        """Publish the changes, if there are any."""
        if not self.changed:
            return
        with self.publishing():
            self.pending.flush()
            self.pending.merge()
            self.publish(self.manifest.successor(), self.pending.files)

    def publish(self, manifest: Manifest, files: Mapping[str, Seal], store: StoreRef | None = None) -> None:
        """Publish the catalog and the blocks as they are now."""
        described = replace(
            self.pending.described(manifest),
            n_items=self.catalog.n_items(),
            n_dead_rows=self.catalog.n_dead_rows(),
        )
        described = replace(described, store=store or self.following.prepare(described, self.pending))
        self._connection.execute("COMMIT")
        scratch = self.path / publish.SCRATCH / _CATALOG
        self.manifest = publish.publish(self.path, described, scratch, files, attached=self.attached.seals)
        self._connection.execute("BEGIN")
        self.changed = False
        publish.remove_leftovers(self.path, self.manifest)
        self.following.finish(self.manifest, self.pending)

    def close(self) -> None:
        """Give up what was not published, and the lock."""
        if not self._closed:
            self._closed = True
            self.following.close()
            with contextlib.suppress(sqlite3.Error):
                self.catalog.close()
            publish.remove_scratch(self.path)
            self._lock.release()


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[WriterLock]:
    lock = WriterLock(path)
    try:
        publish.remove_scratch(path)
        yield lock
    except BaseException:
        publish.remove_scratch(path)
        lock.release()
        raise


def _connect(path: Path, *, new: bool) -> sqlite3.Connection:
    scratch = path / publish.SCRATCH / _CATALOG
    with refused(scratch):
        scratch.parent.mkdir(exist_ok=True)
    try:
        return edits.open_scratch(scratch, new=new)
    except sqlite3.Error as error:
        raise IndexWriteError(f"Could not write {str(scratch)!r}: {error}. Is the disk full?") from error
