"""Embeddings as points of a server: ids that a retry can't double, requests of a bounded size."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from indexer.storage.records import JSON

MAX_POINTS = 256
MAX_BYTES = 8 << 20
"""Of one request: well below the 32 MB that a server takes by default."""

_NAMESPACE = uuid.UUID("6f2b8b0e-5a0c-5a2e-9d3c-0c5c1f0a7e11")
_BYTES_PER_NUMBER = 22
"""A float32 that was made a Python float may take so many characters."""

Payload = Mapping[str, "JSON"]


@dataclass(frozen=True, slots=True)
class Point:
    """An embedding, (dim,), as a server keeps it."""

    id: str
    vector: NDArray[np.float32]
    payload: Payload


def point_id(sha256: str, frame: int, part: int) -> str:
    """Of a part of a frame of these bytes (hex): the same in every generation, so that writes may repeat."""
    return str(uuid.uuid5(_NAMESPACE, f"{sha256}:{frame}:{part}"))


def in_requests(points: Iterable[Point]) -> Iterator[list[Point]]:
    """The points in lists that are sent at once: at most MAX_POINTS, and about MAX_BYTES of JSON."""
    batch: list[Point] = []
    n_bytes = 0
    for point in points:
        size = _BYTES_PER_NUMBER * len(point.vector) + len(json.dumps(dict(point.payload)))
        if batch and (len(batch) == MAX_POINTS or n_bytes + size > MAX_BYTES):
            yield batch
            batch, n_bytes = [], 0
        batch.append(point)
        n_bytes += size
    if batch:
        yield batch
