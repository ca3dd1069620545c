"""An image that is no item of the index, as a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cbir.errors import VectorError
from cbir.images.files import SlideFile
from cbir.images.image import ImageInfo
from cbir.images.pool import DecodedFrame, DecodePool
from cbir.images.tiles import Box
from cbir.types import Embedder, Query
from indexer.index import Index
from indexer.ingesting.embedding import embed_frames
from indexer.ingesting.slides import embed_slide
from indexer.ingesting.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True)
class QueryImage:
    """A query with what a person wants to see of it.

    Args:
        query: ready for ``Index.search``.
        thumbnail: JPEG.
        info: what the file says about itself.
        notes: what a policy did.
        seconds: by stage.
    """

    query: Query
    thumbnail: bytes
    info: ImageInfo
    notes: tuple[str, ...]
    seconds: Mapping[str, float]


def embed_image(
    index: Index,
    data: bytes,
    sha256: str,
    *,
    pool: DecodePool,
    embedder: Embedder,
    region: Box | None = None,
) -> QueryImage:
    """Decode and embed the bytes of an image file, or a region of it; of several frames, the middle one.

    The query's group is as ``query_from`` says; the patient is hashed with the pool's key.

    Raises:
        ImageError: the bytes are no image, can't be decoded within the limits, or end before the region.
        VectorError: the network gives no usable vector for it.
    """
    watch = Stopwatch()
    with watch.stage("decode"):
        frames = pool.decode(data, region=region)
    frame = middle_frame(frames)
    with watch.stage("embed"):
        [parts] = embed_frames(embedder, [frame], index.spec.tiles)
    if isinstance(parts, VectorError):
        raise parts
    return _query_image(index, sha256, frame, parts, embedder=embedder, watch=watch)


def embed_slide_query(index: Index, slide: SlideFile, *, pool: DecodePool, embedder: Embedder) -> QueryImage:
    """Embed the tissue tiles of a whole slide as the parts of one query.

    Raises:
        ImageError: the slide can't be read, or has no tissue.
        VectorError: the network gives no usable vector for any tile.
    """
    watch = Stopwatch()
    with watch.stage("embed"):
        embedded = embed_slide(slide, pool=pool, embedder=embedder)
    if embedded is None:
        raise RuntimeError("A slide's query was asked to stop, and nobody can.")
    return _query_image(index, slide.sha256, *embedded, embedder=embedder, watch=watch)


def query_from(
    index: Index, sha256: str, frame: DecodedFrame, parts: NDArray[np.float32], *, fingerprint: str
) -> Query:
    """Make a query of an embedded image; its group is that of its item, else the patient the file names.

    Args:
        index: to be searched.
        sha256: of the file's bytes.
        frame: as decoded.
        parts: (n_parts, dim), unit rows.
        fingerprint: of the extractor.
    """
    known = index.items_by_content(sha256)
    group = known[0].group if known else frame.info.patient
    return Query(parts if len(parts) > 1 else parts[0], fingerprint, group=group)


def middle_frame(frames: Sequence[DecodedFrame]) -> DecodedFrame:
    """The one that speaks for a file of several."""
    return frames[len(frames) // 2]


def _query_image(
    index: Index,
    sha256: str,
    frame: DecodedFrame,
    parts: NDArray[np.float32],
    *,
    embedder: Embedder,
    watch: Stopwatch,
) -> QueryImage:
    query = query_from(index, sha256, frame, parts, fingerprint=embedder.fingerprint)
    return QueryImage(query, frame.thumbnail, frame.info, frame.notes, watch.seconds())
