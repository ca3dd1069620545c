"""What a store is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from cbir.items.where import Condition
    from indexer.catalog import Catalog
    from indexer.embeddings import Embeddings
    from indexer.manifest import StoreRef
    from indexer.storage.durable import Seal
    from indexer.storage.records import JSON
    from indexer.storage.sealed import SealedFile
    from indexer.stores.qdrant.connection import QdrantConnection

INDEX_ID = "index_id"
"""The memo by which a store that lives elsewhere knows whose it is."""


Device: TypeAlias = Literal["auto", "cpu", "cuda"]
"""Where a store may work; auto takes a GPU when there is one."""


class Neighbours(NamedTuple):
    """The rows nearest to one query, nearest first.

    ``scores`` are float32 cosines, right to a few 1e-7: the caller decides ties with scores of its own.
    """

    scores: NDArray[np.float32]
    rows: NDArray[np.int64]


class Store(Protocol):
    """Finds neighbours among the rows of one generation. Immutable; threads may share it."""

    def search(
        self,
        queries: NDArray[np.float32],
        k: int,
        *,
        allowed: NDArray[np.bool_] | None = None,
        where: Condition | None = None,
    ) -> list[Neighbours]:
        """Find the nearest rows of each query.

        Args:
            queries: (n, dim), unit rows.
            k: at least 1.
            allowed: (n_rows,), which rows may be found; None for all.
            where: a condition that holds for an item of every allowed row, and may hold for others: for a
                store that keeps what is known of the items beside their rows, and finds by it more quickly.

        Returns:
            One a query, each ``min(k, eligible)`` wide.
        """
        ...

    def close(self) -> None:
        """Let go of files, memory and connections; twice is fine. It answers no more."""
        ...


@dataclass(frozen=True, slots=True)
class Generation:
    """What a store is made from: the rows of one generation, and what is known of them.

    Args:
        directory: of the index.
        fingerprint: of the extractor.
        embeddings: the rows.
        catalog: the items that they belong to.
        device: where a store that can use a GPU works.
        number: which generation, once it is published.
        server: where a store that can be served is to be, or was said to be; None for nowhere.
    """

    directory: Path
    fingerprint: str
    embeddings: Embeddings
    catalog: Catalog
    device: Device = "auto"
    number: int = 0
    server: QdrantConnection | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """The files of a store, on the disk but in no manifest yet; none for a store that needs none.

    Args:
        files: seals by path relative to the index.
        n_rows: how many rows, from the first, they cover.
        settings: what the build chose, and what it measured.
    """

    files: Mapping[str, Seal] = field(default_factory=dict)
    n_rows: int = 0
    settings: Mapping[str, JSON] = field(default_factory=dict)


class LiveStore(Protocol):
    """A store on a server, kept as the index is by the index's one writer, commit by commit.

    Every method raises BackendError when the server can't do it.
    """

    def fill(self, generation: Generation) -> StoreRef:
        """Make it anew from every row, before ``generation`` is published; searches go over in one step."""
        ...

    def prepare(self, generation: Generation, heads: Sequence[int]) -> StoreRef:
        """Add what ``generation`` adds, before it is published; ``heads`` are those whose items changed."""
        ...

    def finish(self, generation: Generation) -> None:
        """Remove what ``generation`` removed, after it was published."""
        ...

    def settle(self, generation: Generation) -> None:
        """Look whether it is what the published ``generation`` says, and mend what a killed writer left."""
        ...

    def close(self) -> None:
        """Let go of connections; twice is fine."""
        ...


def _never(ref: StoreRef | None, server: QdrantConnection | None) -> None:
    del ref, server


@dataclass(frozen=True, slots=True)
class StoreKind:
    """How stores of one kind are made.

    Args:
        build: (generation, folder relative to the index directory) to the files written there.
        open: (generation, what the manifest says, the store's files) to a store.
        live: (what the manifest says, the server that is known) to the store on a server, None for one in
            files; without what a manifest says, to one that is to be made on the server.
    """

    build: Callable[[Generation, str], Built]
    open: Callable[[Generation, StoreRef, Mapping[str, SealedFile]], Store]
    live: Callable[[StoreRef | None, QdrantConnection | None], LiveStore | None] = _never
