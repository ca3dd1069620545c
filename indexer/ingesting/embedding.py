"""Decoded frames to embeddings, and to what the writer is told."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cbir.errors import VectorError
from cbir.extractors.spec import TileSpec
from cbir.extractors.tiling import join_tiles
from cbir.images.pool import DecodedFrame
from cbir.types import Embedder
from indexer.storage.records import FileRecord, NewImage

_MAX_TILES = 64
"""Embedded at once; a large image in small tiles has hundreds."""


def embed_frames(
    embedder: Embedder, frames: Sequence[DecodedFrame], tiles: TileSpec | None = None
) -> list[NDArray[np.float32] | VectorError]:
    """Embed frames together.

    Args:
        embedder: of the plans that the frames were prepared by.
        frames: with their tiles, where they have some.
        tiles: what becomes of the tiles' vectors.

    Returns:
        One a frame: unit vectors (n_parts, dim), one where parts are not kept; or the reason why this frame
        has none.
    """
    if not frames:
        return []
    plans = zip(*(frame.prepared for frame in frames), strict=True)
    ends = np.cumsum([len(frame.prepared[0]) for frame in frames])
    try:
        rows = _embed(embedder, [np.concatenate(plan) for plan in plans])
        return [join_tiles(each, tiles) for each in np.split(rows, ends[:-1])]
    except VectorError as error:
        if len(frames) == 1:
            return [error]
        return [row for frame in frames for row in embed_frames(embedder, [frame], tiles)]


def new_images(
    record: FileRecord,
    rows: Sequence[tuple[DecodedFrame, NDArray[np.float32] | VectorError]],
    tiles: TileSpec | None = None,
) -> list[NewImage] | str:
    """What the writer is told of a file; text, the reason, when one of its frames has no embedding."""
    images = []
    for frame, row in rows:
        in_parts = frame.info.format == "slide" or (tiles is not None and tiles.keep == "parts")
        if isinstance(row, VectorError):
            return str(row)
        image = NewImage(
            sha256=record.sha256 or "",
            frame=frame.frame,
            embedding=row if len(row) > 1 else row[0],
            thumbnail=frame.thumbnail,
            pixels_sha256=frame.pixels_sha256,
            info=frame.info.metadata(),
            instance=frame.info.instance,
            group=frame.info.patient,
            notes=frame.notes,
            boxes=frame.boxes if in_parts else (),
        )
        images.append(image)
    return images


def _embed(embedder: Embedder, plans: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    starts = range(0, len(plans[0]), _MAX_TILES)
    batches = [embedder.embed([plan[start : start + _MAX_TILES] for plan in plans]) for start in starts]
    return batches[0] if len(batches) == 1 else np.concatenate(batches)
