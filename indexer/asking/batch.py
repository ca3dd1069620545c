"""Many queries at once: decoded in the pool's processes, embedded in batches, as an ingest run does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cbir.ahead import ahead
from cbir.errors import ImageError, SkipReason, VectorError
from cbir.images.pool import DecodedFrame, DecodePool
from cbir.images.settings import DecodeLimits
from cbir.items.found import Found
from cbir.types import Embedder, Query
from indexer.asking.asked import AskedRow
from indexer.asking.query import middle_frame, query_from
from indexer.index import Index
from indexer.ingesting.candidates import (
    Decoded,
    Outcome,
    Skip,
    Wanted,
    WantedSlide,
    bytes_held,
    bytes_on_disk,
    decode,
    read,
)
from indexer.ingesting.embedding import embed_frames
from indexer.ingesting.slides import embed_slide
from indexer.ingesting.stopwatch import Stopwatch

_MOST_ROWS = 256
"""Handed on at once: items need no network, and would gather without end."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A query that could not be asked.

    Args:
        asked: the row.
        reason: a ``SkipReason``; or ``bad_row``, ``unknown_item``, ``no_group``.
        detail: one line.
    """

    asked: AskedRow
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Ready:
    """A query that can be searched for."""

    asked: AskedRow
    query: Query


class BatchEmbedder:
    """Turns rows into queries, every row into one or into the reason why not.

    Args:
        index: to be searched.
        embedder: of the index's extractor.
        limits: what one file may cost.
        n_workers: decoding processes.
        batch_size: images embedded at once.
    """

    def __init__(
        self, index: Index, embedder: Embedder, limits: DecodeLimits, *, n_workers: int, batch_size: int = 32
    ) -> None:
        self._index, self._embedder, self._limits = index, embedder, limits
        self._n_workers, self._batch_size = n_workers, batch_size
        self._watch = Stopwatch()

    def run(self, rows: Iterable[AskedRow], pool: DecodePool) -> Iterator[list[Ready | Failed]]:
        """Give the outcomes in the order of the rows, some at a time.

        Args:
            rows: read as far as there is room.
            pool: of the index's plans; closed at the end, and before anything else on an error.
        """
        waiting: list[tuple[AskedRow, Ready | Failed | Decoded]] = []
        depth = 4 * self._n_workers
        with ThreadPoolExecutor(2 * self._n_workers) as threads, pool:
            files = ahead(threads, self._read, rows, depth, _on_disk)
            for asked, outcome in ahead(threads, partial(self._decode, pool), files, depth, _held):
                waiting.append((asked, self._judge(asked, outcome, pool)))
                n_tiles = sum(each.n_tiles for _, each in waiting if isinstance(each, Decoded))
                if n_tiles >= self._batch_size or len(waiting) >= _MOST_ROWS:
                    yield self._embedded(waiting)
                    waiting = []
            if waiting:
                yield self._embedded(waiting)

    def _read(self, asked: AskedRow) -> tuple[AskedRow, Wanted | Skip | None]:
        """Read the file, where one is named; any thread may."""
        if asked.path is None or asked.problem:
            return asked, None
        slides = self._index.spec.slides
        return asked, read(Found(asked.path), limits=self._limits, slides=slides, watch=self._watch)

    def _decode(
        self, pool: DecodePool, file: tuple[AskedRow, Wanted | Skip | None]
    ) -> tuple[AskedRow, Outcome | None]:
        asked, judged = file
        if judged is None:
            return asked, None
        return asked, decode(judged, pool=pool, watch=self._watch, region=asked.region)

    def _judge(self, asked: AskedRow, outcome: Outcome | None, pool: DecodePool) -> Ready | Failed | Decoded:
        if asked.problem:
            return Failed(asked, "bad_row", asked.problem)
        if isinstance(outcome, Decoded):
            return outcome
        if isinstance(outcome, WantedSlide):
            return self._slide(asked, outcome, pool)
        if isinstance(outcome, Skip):
            return Failed(asked, str(outcome.record.reason), outcome.record.detail or "")
        return self._item(asked)

    def _item(self, asked: AskedRow) -> Ready | Failed:
        try:
            return Ready(asked, _of_group(self._index.query(asked.item_id or ""), asked.group))
        except KeyError:
            return Failed(asked, "unknown_item", f"no item of index {self._index.path}")

    def _slide(self, asked: AskedRow, slide: WantedSlide, pool: DecodePool) -> Ready | Failed:
        if asked.region is not None:
            return Failed(asked, str(SkipReason.UNSUPPORTED), "a region of a whole slide")
        try:
            embedded = embed_slide(slide.file, pool=pool, embedder=self._embedder)
        except ImageError as error:
            return Failed(asked, str(error.reason), error.detail)
        except VectorError as error:
            return Failed(asked, str(SkipReason.BAD_EMBEDDING), str(error))
        if embedded is None:
            raise RuntimeError("A slide's query was asked to stop, and nobody can.")
        return self._ready(asked, slide.file.sha256, *embedded)

    def _embedded(self, waiting: Sequence[tuple[AskedRow, Ready | Failed | Decoded]]) -> list[Ready | Failed]:
        """Embed what is decoded, together."""
        frames = [middle_frame(each.frames) for _, each in waiting if isinstance(each, Decoded)]
        rows = iter(embed_frames(self._embedder, frames, self._index.spec.tiles))
        outcomes = []
        for asked, each in waiting:
            if not isinstance(each, Decoded):
                outcomes.append(each)
                continue
            parts, frame = next(rows), middle_frame(each.frames)
            if isinstance(parts, VectorError):
                outcomes.append(Failed(asked, str(SkipReason.BAD_EMBEDDING), str(parts)))
            else:
                outcomes.append(self._ready(asked, each.record.sha256 or "", frame, parts))
        return outcomes

    def _ready(self, asked: AskedRow, sha256: str, frame: DecodedFrame, parts: NDArray[np.float32]) -> Ready:
        query = query_from(self._index, sha256, frame, parts, fingerprint=self._embedder.fingerprint)
        return Ready(asked, _of_group(query, asked.group))


def _of_group(query: Query, group: str | None) -> Query:
    return query if group is None else replace(query, group=group)


def _on_disk(asked: AskedRow) -> int:
    return 0 if asked.path is None else bytes_on_disk(Found(asked.path))


def _held(file: tuple[AskedRow, Wanted | Skip | None]) -> int:
    return 0 if file[1] is None else bytes_held(file[1])
