"""`cbir evaluate`."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options as opt
from cli.settings import load_settings
from cli.terminal import note, out

if TYPE_CHECKING:
    from cbir.evaluation.pairing import Paired
    from cbir.evaluation.protocol import Study
    from cbir.types import Item, Scalar
    from indexer.index import Index

_DEFAULT_LABEL = "label"


def evaluate(
    *,
    index: opt.IndexOption = None,
    label: Annotated[
        str,
        typer.Option(help="What is relevant: items with the same value of label, or of any other column."),
    ] = _DEFAULT_LABEL,
    queries: Annotated[
        Path | None,
        typer.Option(
            metavar="INDEX",
            help="Take the queries from this index (default: the same one, each query's patient left out).",
        ),
    ] = None,
    allow_shared_groups: Annotated[
        bool,
        typer.Option(
            "--allow-shared-groups",
            help="Let patients have images on both sides of --queries; a query's own are left out.",
        ),
    ] = False,
    k: Annotated[int, typer.Option("-k", min=1, help="How many hits are judged.")] = 10,
    compare: Annotated[
        list[Path] | None,
        typer.Option(metavar="INDEX", help="Another index of the same files, compared on the same queries."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the intervals and permutations.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON document on stdout.")] = False,
) -> None:
    """Measure how well an index finds images of the same label, with chance beside every number.

    Every item with a label asks in turn; it and all of its patient leave the gallery before the cut.
    Intervals are bootstraps over patients. Research use only, not for diagnosis.
    """
    started = time.perf_counter()
    settings = load_settings(index=index)
    others = compare or []
    if queries is not None and others:
        raise typer.BadParameter("--compare asks each index with its own items: leave out --queries")
    if allow_shared_groups and queries is None:
        raise typer.BadParameter("--allow-shared-groups goes with --queries")
    from cbir.evaluation.summary import summarise
    from cli.renderers.evaluation import Evaluation, render_evaluation, render_evaluation_json
    from indexer.index import Index

    with Index.open(settings.index) as gallery:
        if queries is None:
            study = _study(gallery, None, label, k)
        else:
            with Index.open(queries) as asking:
                study = _study(gallery, asking, label, k, may_share_groups=allow_shared_groups)
        evaluation = Evaluation(
            path=gallery.path,
            queries=queries,
            extractor=gallery.spec.name,
            fingerprint=gallery.fingerprint,
            generation=gallery.generation,
            label=label,
            seed=seed,
            study=study,
            summary=summarise(study, seed=seed),
            compared=[(path, _compared(study, path, label, seed)) for path in others],
            seconds=time.perf_counter() - started,
        )
    out(render_evaluation_json(evaluation) if as_json else render_evaluation(evaluation))
    for each in study.notes:
        note(each)
    for path, paired in evaluation.compared:
        if paired.n_left_out:
            note(
                f"not compared with {path}: {paired.n_left_out} queries that only one of the two could answer"
            )


def _compared(study: Study, path: Path, label: str, seed: int) -> Paired:
    from cbir.evaluation.pairing import compare_studies
    from indexer.index import Index

    with Index.open(path) as other:
        return compare_studies(study, _study(other, None, label, study.k), seed=seed)


def _study(
    gallery: Index, asking: Index | None, label: str, k: int, *, may_share_groups: bool = False
) -> Study:
    from collections.abc import Sequence
    from dataclasses import replace

    from cbir.evaluation.protocol import rank_queries

    source = asking or gallery

    def search(query_ids: Sequence[str], depth: int) -> list[list[str]]:
        # As strangers: the protocol leaves out the query and its group, and such queries are asked together.
        strangers = [replace(source.query(each), item_id=None, group=None) for each in query_ids]
        return [[hit.item.id for hit in hits] for hits in gallery.search_many(strangers, depth)]

    return rank_queries(
        _labelled(source, label),
        search,
        k,
        gallery=None if asking is None else _labelled(gallery, label),
        may_share_groups=may_share_groups,
    )


def _labelled(index: Index, column: str) -> list[Item]:
    """The items, their label taken from a column."""
    from dataclasses import replace

    items = list(index.items())
    if column == _DEFAULT_LABEL:
        return items
    known = sorted({name for item in items for name in item.metadata})
    if column not in known:
        from cli.exit_codes import UsageProblem
        from cli.settings import nearest

        raise UsageProblem(
            f"{index.path} has no column {column!r}; {nearest(column, [_DEFAULT_LABEL, *known])}"
        )
    return [replace(item, label=_text(item.metadata.get(column))) for item in items]


def _text(value: Scalar) -> str | None:
    """A cell as a label: 4.0 is 4, as it was before a missing value made the column one of floats."""
    if value is None or value == "":
        return None
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() else str(value)
    return str(value)
