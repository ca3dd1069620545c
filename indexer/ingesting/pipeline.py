"""Read, decode, preprocess, embed, commit: one run over files, every one of them accounted for.

Reading runs in threads, decoding in worker processes, embedding in the calling thread. Results are taken in
the order the files were found, so that two runs over the same files give the same index.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cbir.ahead import ahead
from cbir.errors import ImageError, SkipReason, VectorError
from cbir.images.pool import DecodedFrame, DecodePool
from cbir.images.settings import ReadPolicy
from cbir.items import Found, Refused
from cbir.items.dicomweb import PacsServers, PacsTroubleError
from cbir.types import Embedder
from indexer.ingesting.account import Account, IngestOptions, IngestReport, ProgressListener
from indexer.ingesting.candidates import (
    Decoded,
    Known,
    Outcome,
    Skip,
    Wanted,
    WantedSlide,
    bytes_held,
    bytes_on_disk,
    decode,
    indexed,
    read_new,
    skipped,
)
from indexer.ingesting.embedding import embed_frames, new_images
from indexer.ingesting.known import file_known, is_gone, is_known_instance, recall
from indexer.ingesting.memos import remember_hash_key
from indexer.ingesting.paced import PacedCommits
from indexer.ingesting.slides import embed_slide
from indexer.ingesting.stopwatch import Stopwatch
from indexer.storage.records import FileRecord
from indexer.writer import IndexWriter

_NOT_RETRIED = frozenset({SkipReason.DECODER_CRASHED, SkipReason.DECODER_TIMEOUT})
"""The same bytes would only cost the same time again."""


class Pipeline:
    """One run. ``run`` may be called once."""

    def __init__(
        self,
        writer: IndexWriter,
        embedder: Embedder,
        options: IngestOptions,
        policy: ReadPolicy,
        *,
        pacs: PacsServers,
        on_progress: ProgressListener | None,
    ) -> None:
        self._writer = writer
        self._embedder = embedder
        self._options = options
        self._policy = policy
        self._pacs = pacs
        self._account = Account()
        self._watch = Stopwatch()
        self._claimed: set[str] = set()
        self._failed: dict[str, FileRecord] = {}
        self._seen: set[str] = set()
        self._buffer: list[Decoded] = []
        self._commits = PacedCommits(
            writer, self._account, self._watch, every_s=options.commit_every_s, on_progress=on_progress
        )

    def run(self, found: Iterable[Found | Refused]) -> IngestReport:
        """Take every file found, once, commit, and give the account."""
        started = time.monotonic()
        n_workers = self._options.n_workers or os.cpu_count() or 1
        # Leaving by an error closes the pool first: that frees the threads which wait for a worker.
        n_threads, depth = 2 * n_workers + self._pacs.n_fetching, 4 * n_workers
        with ThreadPoolExecutor(n_threads) as threads, self._pool(n_workers) as pool, self._pacs.fetching():
            slides = self._writer.spec.slides
            reading = partial(read_new, limits=self._options.limits, slides=slides, watch=self._watch)
            decoding = partial(decode, pool=pool, watch=self._watch)
            asked = map(partial(recall, self._writer), self._once(found))
            files = ahead(threads, reading, asked, depth, bytes_on_disk)
            judged = map(self._judge, files)
            try:
                self._take_all(ahead(threads, decoding, judged, depth, bytes_held), pool)
            except PacsTroubleError:
                self._flush()
                self._commits.commit()
                raise
        self._flush()
        if not self._account.interrupted:
            self._look_for_missing()
        self._commits.commit()
        self._commits.tell()
        with self._watch.stage("store"):
            self._writer.build_store(device=self._options.device)
        return self._account.report(time.monotonic() - started, self._watch.seconds())

    def _pool(self, n_workers: int) -> DecodePool:
        spec = self._writer.spec
        return DecodePool(
            spec.read,
            spec.plans(),
            tiles=spec.tiles.grid if spec.tiles else None,
            slides=spec.slides,
            policy=self._policy,
            limits=self._options.limits,
            n_workers=n_workers,
            hash_key=self._options.hash_key,
        )

    def _once(self, found: Iterable[Found | Refused]) -> Iterator[Found | Refused]:
        for each in found:
            if each.path not in self._seen:
                self._seen.add(each.path)
                yield each

    def _judge(self, candidate: Wanted | Known | Skip) -> Wanted | Known | Skip:
        """Decide whether bytes need decoding at all."""
        if not isinstance(candidate, Wanted):
            return candidate
        file = candidate.file
        before = self._writer.file(file.path)
        same = before is not None and before.sha256 == file.sha256
        if before and same and before.reason in _NOT_RETRIED:
            return Skip(before)
        is_known = file.sha256 in self._claimed or self._writer.has_content(file.sha256)
        if is_known or (before and same and before.outcome == "duplicate"):
            return Known(candidate.found, indexed(file), file.sha256)
        self._claimed.add(file.sha256)
        return candidate

    def _take_all(self, outcomes: Iterable[Outcome], pool: DecodePool) -> None:
        for outcome in outcomes:
            if isinstance(outcome, WantedSlide):
                self._take_slide(outcome, pool)
            else:
                self._take(outcome)
            if self._account.interrupted:
                return

    def _take(self, outcome: Decoded | Known | Skip) -> None:
        if isinstance(outcome, Decoded):
            self._take_decoded(outcome)
        elif isinstance(outcome, Known):
            self._take_known(outcome)
        else:
            self._skip(outcome.record)
        self._count()

    def _count(self) -> None:
        """One more file is where it belongs."""
        self._account.found += 1
        if self._commits.is_due:
            self._flush()
            self._commits.commit()
        self._commits.tell()

    def _take_slide(self, slide: WantedSlide, pool: DecodePool) -> None:
        """Embed it as it is read; a run that is asked to stop meanwhile adds and counts nothing of it."""
        self._flush()
        try:
            with self._watch.stage("embed"):
                embedded = embed_slide(
                    slide.file, pool=pool, embedder=self._embedder, asked_to_stop=self._commits.tell
                )
        except ImageError as error:
            self._take(Skip(skipped(slide.record, error.reason, error.detail)))
        except VectorError as error:
            self._take(Skip(skipped(slide.record, SkipReason.BAD_EMBEDDING, str(error))))
        else:
            if embedded:
                self._add(slide.found, slide.record, [embedded])
                self._count()

    def _take_decoded(self, decoded: Decoded) -> None:
        instances = {frame.info.instance for frame in decoded.frames} - {None}
        if any(frame.info.instance in instances for each in self._buffer for frame in each.frames):
            self._flush()  # so that the writer knows the twin
        if is_known_instance(self._writer, self._account, decoded):
            self._writer.note_duplicate(replace(decoded.record, outcome="duplicate"))
            self._account.duplicate += 1
            return
        self._buffer.append(decoded)
        if sum(each.n_tiles for each in self._buffer) >= self._options.batch_size:
            self._flush()

    def _take_known(self, known: Known) -> None:
        record, sha256 = known.record, known.sha256
        if any(each.record.sha256 == sha256 for each in self._buffer):
            self._flush()
        if failed := self._failed.get(sha256):
            self._skip(replace(failed, path=record.path, size=record.size, mtime_ns=record.mtime_ns))
            return
        file_known(self._writer, self._account, known, self._pacs)

    def _flush(self) -> None:
        """Embed what is decoded and hand it to the writer."""
        batch, self._buffer = self._buffer, []
        frames = [frame for each in batch for frame in each.frames]
        with self._watch.stage("embed"):
            rows = iter(embed_frames(self._embedder, frames, self._writer.spec.tiles))
        for each in batch:
            self._add(each.found, each.record, [(frame, next(rows)) for frame in each.frames])

    def _add(
        self,
        found: Found,
        record: FileRecord,
        embedded: Sequence[tuple[DecodedFrame, NDArray[np.float32] | VectorError]],
    ) -> None:
        images = new_images(record, embedded, self._writer.spec.tiles)
        if isinstance(images, str):
            self._skip(skipped(record, SkipReason.BAD_EMBEDDING, images))
            return
        if any(image.group or image.instance or "study" in image.info for image in images):
            remember_hash_key(self._writer, self._options.hash_key)
        self._writer.add_file(record, images, label=found.label, group=found.group, metadata=found.metadata)
        self._account.indexed += 1
        self._account.images += len(images)
        self._account.notes.update(note for frame, _ in embedded for note in frame.notes)

    def _skip(self, record: FileRecord) -> None:
        self._account.skipped_files.append(record)
        if record.sha256:
            self._failed[record.sha256] = record
        before = self._writer.file(record.path)
        # A share that is down today must not cost items: only other bytes replace what a path had.
        if record.sha256 or before is None or before.outcome == "skipped":
            self._writer.skip_file(record)

    def _look_for_missing(self) -> None:
        unread = {record.path for record in self._account.skipped_files if record.sha256 is None}
        there = self._seen - unread
        missing = [path for path in self._writer.paths() if path not in there and is_gone(path, self._pacs)]
        self._account.missing = len(missing)
        if self._options.prune:
            self._writer.remove_paths(missing)
