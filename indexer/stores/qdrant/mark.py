"""What a collection says of itself, in its metadata: whose it is, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbir import __version__
from cbir.errors import BackendError, FingerprintError
from indexer.stores.store import INDEX_ID

if TYPE_CHECKING:
    from indexer.stores.qdrant.connection import QdrantConnection
    from indexer.stores.qdrant.points import Payload
    from indexer.stores.qdrant.server import Described
    from indexer.stores.store import Generation

FORMAT = 1
DISTANCE = "Dot"
CHOOSE = (
    "Choose another name with --qdrant-collection, or let this index take it over: "
    "cbir index convert --store qdrant --replace."
)
SEARCH_THAT = "Search with the index that it is of; to search this one without it: --store exact."
"""What to do about another's collection: for who makes one, and for who searches."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose collection it is, and which generation of the index it holds.

    Args:
        index: the id of the index.
        fingerprint: of the extractor.
        generation: that it held when it was last finished.
        pending: that a writer is bringing it to, or was when it was killed; None when it is finished. Until
            then points may be too many, and payloads newer than the generation.
        n_points: when it was last finished.
        replaced: the id of the index whose collection had the name before, until that is dropped.
    """

    index: str
    fingerprint: str
    generation: int
    pending: int | None = None
    n_points: int = 0
    replaced: str | None = None

    def to_metadata(self) -> Payload:
        """As metadata that replaces, key by key, what was there."""
        return {
            "cbir": __version__,
            "format": FORMAT,
            "index": self.index,
            "fingerprint": self.fingerprint,
            "generation": self.generation,
            "pending": self.pending,
            "n_points": self.n_points,
            "replaced": self.replaced,
        }

    def holds(self, generation: int) -> bool:
        """Whether it is finished, and for just this generation."""
        return self.generation == generation and self.pending is None


def mark_of(metadata: Payload) -> Mark | None:
    """The mark in some metadata; None when there is none that this version knows."""
    match metadata:
        case {
            "format": int(format_),
            "index": str(index),
            "fingerprint": str(fingerprint),
            "generation": int(generation),
            "n_points": int(n_points),
        } if format_ == FORMAT:
            pending, replaced = metadata.get("pending"), metadata.get("replaced")
            return Mark(
                index, fingerprint, generation, pending if isinstance(pending, int) else None, n_points,
                replaced if isinstance(replaced, str) else None,
            )  # fmt: skip
    return None


def check_owner(
    described: Described, connection: QdrantConnection, name: str, generation: Generation, advice: str
) -> Mark:
    """The mark of a collection that is the index's own; else the advice is in the error.

    Raises:
        FingerprintError: another extractor's vectors are in it.
        BackendError: it is somebody else's.
    """
    where = f"Collection {name!r} on {connection.url}"
    mark, index = mark_of(described.metadata), str(generation.catalog.memo(INDEX_ID))
    if mark is None:
        raise BackendError(f"{where} was not made by this version of cbir. {advice}")
    if mark.fingerprint != generation.fingerprint:
        raise FingerprintError(
            f"{where} was built with another extractor ({mark.fingerprint[:8]}…) than this index "
            f"({generation.fingerprint[:8]}…). {advice}"
        )
    if mark.index != index:
        raise BackendError(
            f"{where} belongs to another index ({mark.index[:8]}…) than this ({index[:8]}…). {advice}"
        )
    return mark


def check_vectors(described: Described, connection: QdrantConnection, name: str, dim: int) -> None:
    """Refuse a collection of other vectors.

    Raises:
        BackendError: of another dimension, or compared in another way.
    """
    if described.dim != dim or described.distance != DISTANCE:
        raise BackendError(
            f"Collection {name!r} on {connection.url} holds vectors of {described.dim} numbers compared by "
            f"{described.distance or 'nothing'}, the index has {dim} compared by {DISTANCE}. Make it again: "
            "cbir index rebuild; to search without it: --store exact."
        )
