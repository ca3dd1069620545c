"""Decoded frames to what the writer is told: batches of tiles, parts, boxes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from gallery import record_of
from numpy.typing import NDArray

from cbir.errors import VectorError
from cbir.extractors.spec import TileSpec
from cbir.images.image import ImageInfo
from cbir.images.pool import DecodedFrame
from cbir.images.tiles import TileGrid
from indexer.ingesting.embedding import embed_frames, new_images

PARTS, MEAN = TileSpec(TileGrid(across=2), "parts"), TileSpec(TileGrid(across=2), "mean")


class MeanColours:
    """The unit vector of a tile's three mean colours; a black tile has none."""

    fingerprint = "f"
    dim = 3

    def __init__(self) -> None:
        self.batches: list[int] = []

    def embed(self, prepared: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        self.batches.append(len(prepared[0]))
        colours = prepared[0].mean(axis=(2, 3))
        lengths = np.linalg.norm(colours, axis=1, keepdims=True)
        if not lengths.all():
            raise VectorError("the network answered with a zero row")
        return (colours / lengths).astype(np.float32)


def frame_of(n_tiles: int, seed: int) -> DecodedFrame:
    tiles = np.random.default_rng(seed).random((n_tiles, 3, 2, 2), dtype=np.float32)
    boxes = tuple((part, 0, 1, 1) for part in range(n_tiles))
    return DecodedFrame(0, (tiles,), boxes, b"jpeg", "0" * 64, ImageInfo("png", n_tiles, 1, 8), ())


@pytest.mark.parametrize("n_tiles", [1, 63, 64, 65, 200])
def test_many_tiles_are_embedded_in_turns_and_come_back_in_order(n_tiles):
    embedder = MeanColours()
    frames = [frame_of(n_tiles, 0), frame_of(3, 1)]
    found = embed_frames(embedder, frames, PARTS)
    assert max(embedder.batches) <= 64
    assert sum(embedder.batches) == n_tiles + 3
    for frame, rows in zip(frames, found, strict=True):
        np.testing.assert_array_equal(rows, MeanColours().embed(frame.prepared))


def test_parts_keep_their_boxes_and_a_mean_has_none():
    frame = frame_of(4, 0)
    for tiles, shape, boxes in ((PARTS, (4, 3), frame.boxes), (MEAN, (3,), ()), (None, (3,), ())):
        [image] = new_images(
            record_of("/a", "a"), [(frame, *embed_frames(MeanColours(), [frame], tiles))], tiles
        )
        assert (image.embedding.shape, image.boxes) == (shape, boxes)


def test_an_image_of_one_tile_has_one_vector_and_its_box():
    frame = frame_of(1, 0)
    [image] = new_images(record_of("/a", "a"), [(frame, *embed_frames(MeanColours(), [frame], PARTS))], PARTS)
    assert (image.embedding.shape, image.boxes) == ((3,), frame.boxes)


def test_one_bad_frame_costs_no_other_its_parts():
    black = frame_of(2, 0)
    black.prepared[0][1] = 0
    fine, bad, also = embed_frames(MeanColours(), [frame_of(3, 1), black, frame_of(2, 2)], PARTS)
    assert (fine.shape, also.shape) == ((3, 3), (2, 3))
    assert isinstance(bad, VectorError)
    assert "zero row" in new_images(record_of("/a", "a"), [(black, bad)], PARTS)
