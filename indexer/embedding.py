"""Decoded frames to embeddings, and to what the writer is told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cbir.errors import VectorError
from cbir.images.pool import DecodedFrame
from cbir.types import Embedder
from indexer.records import FileRecord, NewImage


def embed_frames(
    embedder: Embedder, frames: Sequence[DecodedFrame]
) -> list[NDArray[np.float32] | VectorError]:
    """Embed frames in one batch.

    Returns:
        One a frame: a unit vector (dim,), or the reason why this frame has none.
    """
    if not frames:
        return []
    branches = zip(*(frame.prepared for frame in frames), strict=True)
    try:
        return list(embedder.embed([np.stack(branch) for branch in branches]))
    except VectorError as error:
        if len(frames) == 1:
            return [error]
        return [row for frame in frames for row in embed_frames(embedder, [frame])]


def new_images(
    record: FileRecord, rows: Sequence[tuple[DecodedFrame, NDArray[np.float32] | VectorError]]
) -> list[NewImage] | str:
    """What the writer is told of a file; text, the reason, when one of its frames has no embedding."""
    images = []
    for frame, row in rows:
        if isinstance(row, VectorError):
            return str(row)
        image = NewImage(
            sha256=record.sha256 or "",
            frame=frame.frame,
            embedding=row,
            thumbnail=frame.thumbnail,
            pixels_sha256=frame.pixels_sha256,
            info=frame.info.metadata(),
            instance=frame.info.instance,
            group=frame.info.patient,
            notes=frame.notes,
        )
        images.append(image)
    return images
