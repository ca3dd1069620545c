"""A whole slide to its embeddings, some tiles at a time: never the whole of it in memory."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cbir.errors import VectorError
from cbir.images.files import SlideFile, opened_slide
from cbir.images.pool import DecodedFrame, DecodePool
from cbir.images.tiles import Box
from cbir.types import Embedder


def embed_slide(
    slide: SlideFile,
    *,
    pool: DecodePool,
    embedder: Embedder,
    asked_to_stop: Callable[[], bool] | None = None,
) -> tuple[DecodedFrame, NDArray[np.float32]] | None:
    """Embed tiles while a worker decodes the next ones; about two chunks are held at once.

    Tiles that the network has no usable vector for are left out, and noted.

    Args:
        slide: as its sha256 was taken.
        pool: that knows which tiles.
        embedder: of the pool's plans.
        asked_to_stop: asked before each chunk.

    Returns:
        What is known of the slide, with the boxes of its parts and no pixels; and (n_parts, dim) unit rows.
        None when asked to stop.

    Raises:
        ImageError: the slide can't be read, or changed meanwhile.
        VectorError: no tile has a usable vector.
    """
    boxes: list[Box] = []
    rows: list[NDArray[np.float32]] = []
    n_bad = 0
    # Left in this order: the thread is waited for, and what it read from is closed then.
    with (
        opened_slide(slide) as descriptor,
        closing(pool.decode_slide(descriptor)) as chunks,
        ThreadPoolExecutor(1, thread_name_prefix="cbir-slide") as thread,
    ):
        following = thread.submit(next, chunks, None)
        while (chunk := following.result()) is not None:
            following = thread.submit(next, chunks, None)
            if asked_to_stop and asked_to_stop():
                return None
            for box, row in zip(chunk.boxes, _embed(chunk.prepared, embedder), strict=True):
                if isinstance(row, VectorError):
                    n_bad += 1
                    continue
                boxes.append(box)
                rows.append(row)
            last = replace(chunk, prepared=(), boxes=tuple(boxes))
    if not rows:
        raise VectorError(f"None of the slide's {n_bad} tissue tiles has a usable vector.")
    if n_bad:
        told = f"{n_bad} of {n_bad + len(rows)} tissue tiles have no usable vector"
        last = replace(last, notes=(*last.notes, told))
    return last, np.stack(rows)


def _embed(
    prepared: tuple[NDArray[np.float32], ...], embedder: Embedder
) -> list[NDArray[np.float32] | VectorError]:
    """Give (dim,) a tile, or why there is none."""
    try:
        return list(embedder.embed(prepared))
    except VectorError as error:
        if len(prepared[0]) == 1:
            return [error]
    tiles = zip(*(np.split(plan, len(plan)) for plan in prepared), strict=True)
    return [row for tile in tiles for row in _embed(tile, embedder)]
