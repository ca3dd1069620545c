"""A slide's tiles, prepared for the networks, as many at a time as memory bears."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xxhash

from cbir.images.prepare import prepare_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from cbir.images.slides.reader import SlideReader
    from cbir.images.steps import Step
    from cbir.images.tiles import Box

MAX_TILES = 64
_MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class PreparedTiles:
    """Some tiles of a slide.

    Args:
        prepared: one (n_tiles, channels, height, width) array a plan.
        boxes: of the tiles, in pixels of level 0.
        pixels_xxh3: hex, of the pixels of these tiles and all before them.
    """

    prepared: tuple[NDArray[np.float32], ...]
    boxes: tuple[Box, ...]
    pixels_xxh3: str


def prepared_tiles(reader: SlideReader, plans: Sequence[Sequence[Step]]) -> Iterator[PreparedTiles]:
    """Prepare the tiles: up to 64, or 64 MiB, at a time, and one at least; the last when the reader is done.

    Raises:
        ImageError: too many of them can't be read.
    """
    checksum = xxhash.xxh3_128()
    rows: list[list[NDArray[np.float32]]] = []
    boxes: list[Box] = []
    for tile in reader.tiles():
        if rows and len(rows) >= _n_at_once(rows[0]):
            yield _joined(rows, boxes, checksum.hexdigest())
            rows, boxes = [], []
        checksum.update(np.ascontiguousarray(tile.image.pixels).data)
        rows.append(prepare_all(tile.image, plans, ()))
        boxes.append(tile.box)
    if rows:
        yield _joined(rows, boxes, checksum.hexdigest())


def _joined(rows: list[list[NDArray[np.float32]]], boxes: list[Box], checksum: str) -> PreparedTiles:
    plans = zip(*rows, strict=True)
    return PreparedTiles(tuple(np.concatenate(plan) for plan in plans), tuple(boxes), checksum)


def _n_at_once(tile: list[NDArray[np.float32]]) -> int:
    return min(MAX_TILES, _MAX_BYTES // max(sum(plan.nbytes for plan in tile), 1))
