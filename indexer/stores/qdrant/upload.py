"""The rows of a generation as the points of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from indexer.stores.qdrant.payload import TECHNICAL, payloads
from indexer.stores.qdrant.points import Payload, Point, point_id
from indexer.stores.store import INDEX_ID

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cbir.types import Item
    from indexer.catalog import Catalog
    from indexer.storage.records import JSON
    from indexer.stores.store import Generation

_AT_ONCE = 1024


def points_of(
    generation: Generation, rows: NDArray[np.int64], *, thumbnail_url: str | None
) -> Iterator[Point]:
    """Each of these rows, ascending, as a point; rows that follow one another are read at once.

    A point says whose it is: a name may stand for another index's collection from one answer to the next.
    """
    index = generation.catalog.memo(INDEX_ID)
    for run in _runs(rows):
        start, stop = int(run[0]), int(run[-1]) + 1
        said = payloads(generation.catalog, start, stop, thumbnail_url=thumbnail_url)
        vectors = generation.embeddings.gather(run)
        for vector, payload in zip(vectors, said, strict=True):
            cast("dict[str, JSON]", payload[TECHNICAL])["index"] = index
            yield Point(point_id(*content_of(payload)), vector, payload)


def content_of(payload: Payload) -> tuple[str, int, int]:
    """Which bytes (sha256, hex), frame and part a point is of.

    Raises:
        KeyError: the payload says no such thing; cbir did not write it.
    """
    technical = cast("dict[str, str | int]", payload[TECHNICAL])
    return str(technical["sha256"]), int(technical["frame"]), int(technical["part"])


def is_of(payload: Payload, index: JSON) -> bool:
    """Whether a point is of the index with this id; one that cbir did not write may be of any."""
    return TECHNICAL not in payload or cast("dict[str, JSON]", payload[TECHNICAL]).get("index") == index


def live_rows(catalog: Catalog) -> NDArray[np.int64]:
    """The rows that have items, ascending."""
    query = "SELECT row FROM contents WHERE row NOT IN (SELECT row FROM dead_rows) ORDER BY row"
    return np.array([row for (row,) in catalog.rows(query)], dtype=np.int64)


def live_ids(catalog: Catalog) -> set[str]:
    """The ids of the points of these rows."""
    query = "SELECT sha256, frame, part FROM contents WHERE row NOT IN (SELECT row FROM dead_rows)"
    return {point_id(sha256.hex(), frame, part) for sha256, frame, part in catalog.rows(query)}


def rows_of_heads(catalog: Catalog, heads: Sequence[int]) -> tuple[NDArray[np.int64], list[str]]:
    """The rows, all parts, of those heads that have items, ascending; the ids of the points of the others."""
    query = (
        "SELECT row, sha256, frame, part, row IN (SELECT row FROM dead_rows) FROM contents "
        "WHERE row = ?1 OR (head = ?1 AND part > 0)"
    )
    living: list[int] = []
    dead: list[str] = []
    for head in heads:
        for row, sha256, frame, part, is_dead in catalog.rows(query, head):
            if is_dead:
                dead.append(point_id(sha256.hex(), frame, part))
            else:
                living.append(row)
    return np.array(sorted(living), dtype=np.int64), dead


def items_of_rows(catalog: Catalog, rows: NDArray[np.int64]) -> Iterator[Item]:
    """The items that these rows belong to; one may come more than once."""
    for start in range(0, len(rows), _AT_ONCE):
        for place in catalog.places_of(rows[start : start + _AT_ONCE].tolist()).values():
            yield from place.items


def _runs(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    for run in np.split(rows, breaks):
        for start in range(0, len(run), _AT_ONCE):
            yield run[start : start + _AT_ONCE]
