"""What `cbir evaluate` was asked for, measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cbir.errors import ItemsError
from cbir.evaluation.definitions import DEFINITIONS, DefinedRow, Definition, by_definition
from cbir.evaluation.protocol import Search, Study
from cbir.evaluation.report import Provenance, Report, report_of
from cbir.evaluation.seeds import Spread, spread_over_seeds
from cbir.evaluation.summary import Summary, summarise
from cbir.evaluation.trec import check_run, notes_of_run, read_run, search_of_run, write_qrels, write_run
from cbir.items.where import written
from cli.comparing import Compared, compare_with_others
from cli.evaluation_request import Request
from cli.opening import open_index
from cli.reranking import notes_of_study
from cli.versions import versions
from deploy.labelling.attached import attached_classifier
from indexer.asking.reranked import Reranking
from indexer.index import Index
from indexer.refine import wording
from indexer.shown import Shown
from indexer.study import StudyPlan, case_column_of, split_hash, study_index

_MAX_WHOLE_HITS = 20_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What was measured, and of what.

    Args:
        request: what was asked for.
        study: the rankings.
        summary: their numbers.
        provenance: where they come from.
        report: what page and JSON show beside; None for the table alone.
        compared: other searches, and how the first differs from each.
        spreads: over the training's seeds, by measure; empty for one.
        defined: by another's definition, with its values; None where none was asked for.
        notes: what a reader of the numbers must know.
        seconds: all of it took.
    """

    request: Request
    study: Study
    summary: Summary
    provenance: Provenance
    report: Report | None
    compared: Sequence[Compared]
    spreads: Mapping[str, Spread]
    defined: tuple[Definition, Sequence[DefinedRow]] | None
    notes: tuple[str, ...]
    seconds: float


def evaluate_index(request: Request, *, report: bool, pictures: bool, trec: Path | None) -> Evaluation:
    """Measure an index as asked.

    Args:
        request: see there.
        report: also make what page and JSON show beside the table.
        pictures: of that, also what only the page shows: the map, and pictures of queries and hits.
        trec: a folder to write ``run.txt`` and ``qrels.txt`` to.

    Raises:
        CbirError: no such index, column or part, or nothing to measure.
    """
    started = time.perf_counter()
    with ExitStack() as stack:
        index = stack.enter_context(open_index(request.settings))
        request = _with_column(index, request)
        there = attached_classifier(index, request.rerank.name) if request.rerank else None
        reranking: Reranking | None = None
        if there and request.rerank:
            reranking = Reranking(there.reranker(), request.rerank.depth)
            request = replace(request, rerank=replace(request.rerank, blend=there.settings.blend))
        asking: Index | None = None
        if request.asking:
            asking = stack.enter_context(open_index(request.settings, request.asking))
        search: Search | None = None
        notes: tuple[str, ...] = ()
        if request.run:
            run = read_run(request.run)
            check_run(run, {item.id for item in index.items()})
            search = search_of_run(run, among=_gallery_ids(index, request.plan))
        study = study_index(index, request.plan, asking=asking, search=search, reranking=reranking)
        if request.run:
            notes = notes_of_run(study, run)
        if there:
            notes = notes_of_study(there, study.query_ids, list(study.pool.places))
        shown = Shown.of(index, request.plan)
        asked = Shown.of(asking, request.plan) if asking else shown
        if trec:
            trec.mkdir(parents=True, exist_ok=True)
            write_run(study, trec / "run.txt")
            write_qrels(study, trec / "qrels.txt", queries=list(asked.items()))
        searched = partial(study_index, index, asking=asking, search=search, reranking=reranking)
        deep = _whole_lists(searched, study, request.plan) if request.whole_lists else None
        summary = summarise(study, seed=request.seed, whole=deep)
        compared = compare_with_others(study, index, asking, request)
        provenance = _provenance(index, request)
        return Evaluation(
            request=request,
            study=study,
            summary=summary,
            provenance=provenance,
            report=report_of(
                study,
                summary,
                provenance,
                item=shown.item,
                query=asked.item,
                thumbnail=shown.thumbnail if pictures else _no_picture,
                query_thumbnail=asked.thumbnail if pictures else _no_picture,
                embeddings=partial(_embeddings, shown) if pictures else None,
                compared=[(each.name, each.paired) for each in compared],
                seed=request.seed,
            )
            if report
            else None,
            compared=compared,
            spreads=_spreads(study, request),
            defined=_defined(study, request),
            notes=(*study.notes, *notes, *_notes_of_compared(compared)),
            seconds=time.perf_counter() - started,
        )


def _gallery_ids(index: Index, plan: StudyPlan) -> frozenset[str] | None:
    if plan.gallery is None and plan.where is None:
        return None
    items = index.items(where=plan.where)
    return frozenset(item.id for item in (plan.gallery.of(items, str(index.path)) if plan.gallery else items))


def _whole_lists(searched: Callable[[StudyPlan], Study], study: Study, plan: StudyPlan) -> Study:
    n_hits = len(study.query_ids) * study.pool.n_items
    if n_hits > _MAX_WHOLE_HITS:
        raise ItemsError(
            f"Whole lists of {len(study.query_ids)} queries over {study.pool.n_items} items are {n_hits} "
            f"hits; at most {_MAX_WHOLE_HITS} are kept. Ask a part: --queries COLUMN=VALUE."
        )
    return searched(replace(plan, k=study.pool.n_items))


def _study_at(path: Path, request: Request) -> Study:
    with open_index(request.settings, path) as index:
        return study_index(index, request.plan)


def _spreads(study: Study, request: Request) -> Mapping[str, Spread]:
    if not request.repeat:
        return {}
    return spread_over_seeds([study, *(_study_at(path, request) for path in request.repeat)])


def _defined(study: Study, request: Request) -> tuple[Definition, Sequence[DefinedRow]] | None:
    if request.definition is None:
        return None
    definition = DEFINITIONS[request.definition]
    return definition, by_definition(study, definition, seed=request.seed)


def _notes_of_compared(compared: Sequence[Compared]) -> tuple[str, ...]:
    return tuple(
        f"not compared with {each.name}: {n_left_out} queries that only one of the two could answer"
        for each in compared
        if (n_left_out := each.paired.n_left_out)
    )


def _provenance(index: Index, request: Request) -> Provenance:
    return Provenance(
        title=f"{index.path.name} by {request.plan.label}",
        command=request.command,
        index=str(index.path),
        extractor=index.spec.name,
        fingerprint=index.fingerprint,
        generation=index.generation,
        label=request.plan.label,
        queries=_who(request),
        split_hash=split_hash(index, request.plan),
        seed=request.seed,
        versions=versions(),
        made=time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
    )


def _with_column(index: Index, request: Request) -> Request:
    """The column that tells cases apart, settled by the first index for all of them."""
    cases = request.plan.cases
    if cases is None:
        return request
    cases = replace(cases, column=case_column_of(index, cases))
    return replace(request, plan=replace(request.plan, cases=cases))


def _who(request: Request) -> str:
    """Who asked and who could be found, in words."""
    cases = f"by case ({request.plan.cases.column}), " if request.plan.cases else ""
    asked = f"queries of {request.queries}, " if request.queries else ""
    there = f"gallery of {request.gallery}, " if request.gallery else ""
    part = f"of all where {written(request.plan.where)}, " if request.plan.where else ""
    tenant = f"of tenant {request.settings.tenant}, " if request.settings.tenant else ""
    ranked = f"ranked by {request.run}, " if request.run else ""
    refined = "".join(f"refined by {wording(each)}, " for each in request.plan.refinements)
    anew = f"re-ranked by {request.rerank}, " if request.rerank else ""
    return f"{tenant}{part}{cases}{asked}{there}{ranked}{refined}{anew}each query's group left out"


def _embeddings(shown: Shown, ids: Sequence[str]) -> NDArray[np.float32]:
    """(n, dim)."""
    return np.array([shown.vector(each) for each in ids], dtype=np.float32)


def _no_picture(item_id: str) -> bytes:
    del item_id
    return b""
