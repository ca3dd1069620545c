"""A file of queries to a file of hits, every query accounted for."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cbir.images.pool import DecodePool
from cli.asking import find
from cli.opening import open_index
from cli.patient_key import read_key
from cli.question import Question
from cli.renderers.hits_file import CsvHits, HitsFile, ParquetHits, metadata_columns
from cli.settings import Settings
from cli.terminal import note
from indexer.asking.asked import AskedRow, read_queries
from indexer.asking.batch import BatchEmbedder, Failed, Ready
from indexer.index import Index

if TYPE_CHECKING:
    from cbir.types import Embedder

_LINE_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What became of every query: ``n_queries == n_answered + len(failed)``."""

    n_queries: int
    n_answered: int
    n_hits: int
    failed: tuple[Failed, ...]
    seconds: float

    def lines(self) -> list[str]:
        """The account, a line each."""
        rate = f", {self.n_queries / self.seconds:.3g}/s" if self.seconds > 0 else ""
        said = [f"{self.n_queries} queries in {self.seconds:.1f} s{rate}: {self.n_hits} hits"]
        if self.failed:
            reasons = Counter(each.reason for each in self.failed)
            listed = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
            said.append(f"{len(self.failed)} queries were not answered: {listed}")
        return said


def search_batch(queries: str, output: Path | None, question: Question, settings: Settings) -> BatchReport:
    """Search for every query of a file, and write the hits: all of them, or no file at all.

    Args:
        queries: as ``read_queries`` takes it.
        output: Parquet where it ends in ``.parquet``, else CSV; one that is there is replaced when the new
            one is whole. None for CSV on stdout.
        question: how each is searched for; its ``text`` is not looked at.
        settings: which index, which limits.

    Raises:
        CbirError: the file of queries or the index can't be used at all.
    """
    started = time.monotonic()
    rows = read_queries(queries)
    failed: list[Failed] = []
    n_hits = n_done = 0
    told = started
    with (
        open_index(settings, store=question.store) as index,
        _hits_file(index, output) as file,
    ):
        for outcomes in _outcomes(index, rows, question, settings):
            ready, bad = _sorted(outcomes, question)
            failed += bad
            found = find(index, [each.query for each in ready], question) if ready else []
            for each, hits in zip(ready, found, strict=True):
                file.add(each.asked.row, each.asked.text, hits)
                n_hits += len(hits)
            n_done += len(outcomes)
            if time.monotonic() - told >= _LINE_EVERY_S:
                told = time.monotonic()
                note(f"{n_done} of {len(rows)} queries ({n_done / (told - started):.3g}/s)")
    return BatchReport(len(rows), len(rows) - len(failed), n_hits, tuple(failed), time.monotonic() - started)


def tell_failed(failed: Sequence[Failed], path: Path | None) -> None:
    r"""Say which queries were not answered: a JSON line each in a file, or else a line on stderr.

    Args:
        failed: may be empty: then a file of an earlier run goes.
        path: of the file; bytes of names that are not UTF-8 stand as ``\udcXX``.
    """
    if path is None:
        for each in failed:
            note(f"query {each.asked.row}, {each.asked.text}: {each.reason}: {each.detail}")
        return
    if not failed:
        path.unlink(missing_ok=True)
        return
    lines = [
        {"row": each.asked.row, "query": each.asked.text, "reason": each.reason, "detail": each.detail}
        for each in failed
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="ascii")
    note(f"wrote {path}")


def _outcomes(
    index: Index, rows: Sequence[AskedRow], question: Question, settings: Settings
) -> Iterator[list[Ready | Failed]]:
    from cbir.extractors.exported import open_exported
    from cbir.extractors.loading import LoadingEmbedder
    from indexer.ingesting.memos import check_hash_key

    spec, key = index.spec, read_key(settings.patient_key)
    if question.exclude_same_group:
        check_hash_key(index, key)
    n_workers = settings.workers or os.cpu_count() or 1
    asked = rows if spec.can_embed else _as_items(index, rows)
    embedder: Embedder = LoadingEmbedder(
        spec, partial(open_exported, spec, index.model_dir, tta=question.tta)
    )
    pool = DecodePool(
        spec.read, spec.plans(question.tta), tiles=spec.tiles.grid if spec.tiles else None,
        slides=spec.slides, limits=settings.limits, n_workers=n_workers, hash_key=key,
    )  # fmt: skip
    yield from BatchEmbedder(index, embedder, settings.limits, n_workers=n_workers).run(asked, pool)


def _as_items(index: Index, rows: Sequence[AskedRow]) -> list[AskedRow]:
    """Of an index without networks: the rows' paths are those of its items."""
    ids = {item.path: item.id for item in index.items()}
    return [
        replace(row, path=None, item_id=ids.get(row.path, row.text)) if row.path is not None else row
        for row in rows
    ]


def _sorted(outcomes: Sequence[Ready | Failed], question: Question) -> tuple[list[Ready], list[Failed]]:
    """Those that can be searched for, and those that can't."""
    ready = [each for each in outcomes if isinstance(each, Ready)]
    failed = [each for each in outcomes if isinstance(each, Failed)]
    if question.exclude_same_group:
        why = "no group, so its group can't be left out: give it one in a column group"
        failed += [Failed(each.asked, "no_group", why) for each in ready if each.query.group is None]
        ready = [each for each in ready if each.query.group is not None]
    return ready, sorted(failed, key=lambda each: each.asked.row)


@contextlib.contextmanager
def _hits_file(index: Index, output: Path | None) -> Iterator[HitsFile]:
    """The file, put in place when all is well."""
    columns = metadata_columns(index.items())
    if output is None:
        yield CsvHits(sys.stdout.buffer, columns)
        return
    beside = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        if output.suffix.lower() == ".parquet":
            file: HitsFile = ParquetHits(beside, columns)
            yield file
            file.close()
        else:
            with beside.open("wb") as target:
                yield CsvHits(target, columns)
        beside.replace(output)
    finally:
        beside.unlink(missing_ok=True)
