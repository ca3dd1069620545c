"""A case as the query of the command line, from its text to the answer."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

from cbir.errors import CbirError, FingerprintError, ItemsError
from cbir.items import Found, Refused, find_items
from cbir.printable import printable
from cli.opening import open_index
from cli.patient_key import read_key
from cli.question import Question
from cli.renderers.case_answer import AskedImage, CaseAnswer
from cli.settings import Settings
from indexer.cases import CaseQuery, CaseSearcher, CaseTable, case_column, case_of
from indexer.cases.embed import EmbeddedCase, EmbeddedImage, embed_case
from indexer.index import Index

_MAX_FILES = 1000
"""Of one examination; a folder of more is taken for a mistake before any is read."""

_SHOWN = 3


def ask_by_case(question: Question, column: str | None, settings: Settings, *, started: float) -> CaseAnswer:
    """Search for the cases most like a case.

    Args:
        question: its text is a folder, a file, a pattern or an items file; else a case of the index, or the
            id of an item of it.
        column: that tells the index's cases apart; None for the default of ``case_column``.
        settings: which index, which limits.
        started: `time.perf_counter` when the command began.

    Raises:
        CbirError: no such case, no image that can be read, images of several cases, no usable index.
    """
    seconds: dict[str, float] = {}
    clock = time.perf_counter()
    with open_index(settings, store=question.store, resident=False) as index:
        seconds["open"], clock = time.perf_counter() - clock, time.perf_counter()
        table = CaseTable.of_index(index, case_column(index, column))
        searcher = CaseSearcher(index, table)
        seconds["cases"] = time.perf_counter() - clock
        text = question.text or ""
        if os.path.lexists(text):
            query, blank = _read(index, searcher, question, settings)
        else:
            query, blank = _indexed(index, searcher, text)
        clock = time.perf_counter()
        hits = searcher.search(
            query, question.k, exclude_same_group=question.exclude_same_group, where=question.where
        )
        seconds |= {**blank.seconds, "search": time.perf_counter() - clock}
        pictures: dict[str, bytes] = {}
        if question.thumbnails:
            pictures = {pair.item.id: index.thumbnail(pair.item.id) for hit in hits for pair in hit.pairs}
        seconds["total"] = time.perf_counter() - started
        notes = (*table.notes(), *_only(question), *blank.notes)
        return replace(
            blank, k=question.k, hits=tuple(hits), seconds=seconds, thumbnails=pictures, notes=notes
        )


def _indexed(index: Index, searcher: CaseSearcher, text: str) -> tuple[CaseQuery, CaseAnswer]:
    """A case of the index, by its name or by an item of it."""
    table = searcher.table
    case: str | None = text
    if text not in table.items:
        try:
            case = case_of(index.item(text), table.column)
        except KeyError:
            raise CbirError(
                f"{printable(text)} is no folder, and no case of index {index.path} by {table.column}. Give "
                "a folder of images, a case from the hits of a search, or another column with --case."
            ) from None
        if case is None:
            raise ItemsError(
                f"The item {text} has no {table.column}, and is of no case. Search for it alone."
            )
    query = searcher.query(case or "")
    images = tuple(
        AskedImage(image.name, str(image.aspect), thumbnail=index.thumbnail(image.name))
        for image in query.images
    )
    return _of_one_patient(query), replace(_blank(index, table, text), case=case, images=images)


def _read(
    index: Index, searcher: CaseSearcher, question: Question, settings: Settings
) -> tuple[CaseQuery, CaseAnswer]:
    """The files of an examination."""
    text, table = question.text or "", searcher.table
    if not index.spec.can_embed:
        raise FingerprintError(
            f"Index {index.path} holds embeddings imported as {index.spec.name} and no network to embed "
            f"{printable(text)} with. Search with one of its cases."
        )
    files = list(islice(find_items([text]), _MAX_FILES + 1))
    if len(files) > _MAX_FILES:
        raise ItemsError(
            f"{printable(text)} has more than {_MAX_FILES} files. Give the folder of one examination."
        )
    _check_one_case(text, files, table.column)
    found = _embedded(index, files, question, settings)
    if not found.images:
        reasons = Counter(each.reason for each in found.skipped)
        counts = ", ".join(f"{reason} {n}" for reason, n in reasons.most_common())
        raise CbirError(
            f"{printable(text)} has no image that can be read: {len(files)} files{counts and ': '}{counts}."
        )
    blank = replace(
        _blank(index, table, text),
        images=tuple(
            AskedImage(each.image.name, str(each.image.aspect), each.seen.notes, each.seen.thumbnail)
            for each in found.images
        ),
        skipped=found.skipped,
        notes=(*_one_study(text, found.images, table.column), *_said_of(found.duplicates)),
        seconds=_seconds(found.images),
    )
    return _of_one_patient(CaseQuery(tuple(each.image for each in found.images))), blank


def _embedded(
    index: Index, files: Sequence[Found | Refused], question: Question, settings: Settings
) -> EmbeddedCase:
    from cbir.extractors.exported import open_exported
    from cbir.extractors.loading import LoadingEmbedder
    from cbir.images.pool import DecodePool
    from indexer.ingesting.memos import check_hash_key

    spec, key = index.spec, read_key(settings.patient_key)
    if question.exclude_same_group:
        check_hash_key(index, key)
    with DecodePool(
        spec.read, spec.plans(question.tta), tiles=spec.tiles.grid if spec.tiles else None,
        slides=spec.slides, limits=settings.limits, n_workers=1, hash_key=key,
    ) as pool:  # fmt: skip
        pool.start()
        embedder = LoadingEmbedder(spec, partial(open_exported, spec, index.model_dir, tta=question.tta))
        return embed_case(index, files, pool=pool, embedder=embedder, limits=settings.limits)


def _check_one_case(text: str, files: Sequence[Found | Refused], column: str) -> None:
    """Refuse an items file that lists several cases."""
    said = {
        str(value)
        for each in files
        if isinstance(each, Found)
        and (value := each.group if column == "group" else each.metadata.get(column)) is not None
    }
    if len(said) > 1:
        raise ItemsError(
            f"{printable(text)} lists images of {len(said)} cases by {column}: {_some(sorted(said))}. Give "
            "one of them, or name another column with --case."
        )


def _one_study(text: str, images: Sequence[EmbeddedImage], column: str) -> tuple[str, ...]:
    """Refuse several DICOM studies where a study is a case; where it is not, say that there are several."""
    firsts: dict[str, str] = {}
    for each in images:
        if each.seen.info.study is not None:
            firsts.setdefault(each.seen.info.study, os.path.basename(each.image.name))  # noqa: PTH119 (not UTF-8)
    if len(firsts) <= 1:
        return ()
    named = _some([f"{name} is of {study[:8]}…" for study, name in firsts.items()])
    if column == "study":
        raise ItemsError(
            f"{printable(text)} holds images of {len(firsts)} DICOM studies: {printable(named)}. Give the "
            "folder of one, or name what a case is, if not a study, with --case."
        )
    return (f"the images are of {len(firsts)} DICOM studies, taken for one case: {named}",)


def _of_one_patient(query: CaseQuery) -> CaseQuery:
    """The patient that one image names is that of all."""
    groups = sorted({image.query.group for image in query.images if image.query.group is not None})
    if not groups:
        return query
    images = [
        replace(image, query=replace(image.query, group=groups[0], more_groups=frozenset(groups[1:])))
        for image in query.images
    ]
    return replace(query, images=tuple(images))


def _only(question: Question) -> tuple[str, ...]:
    """What leaves images out of the cases that are found."""
    if question.where is None:
        return ()
    from cbir.items.where import written

    return (f"cases are made of images where {written(question.where)}",)


def _said_of(duplicates: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"{path} has the bytes of another file; taken once" for path in duplicates)


def _seconds(images: Sequence[EmbeddedImage]) -> dict[str, float]:
    total: Counter[str] = Counter()
    for each in images:
        total.update(each.seen.seconds)
    return dict(total)


def _some(words: Sequence[str]) -> str:
    return ", ".join(words[:_SHOWN]) + (", …" if len(words) > _SHOWN else "")


def _blank(index: Index, table: CaseTable, text: str) -> CaseAnswer:
    return CaseAnswer(
        query=text, case=None, column=table.column, images=(), skipped=(), k=0, index=index.path.absolute(),
        fingerprint=index.fingerprint, generation=index.generation, n_cases=len(table.items), hits=(),
        seconds={},
    )  # fmt: skip
