"""`cbir evaluate`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options as opt
from cli.settings import load_settings
from cli.terminal import note, out

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cbir.evaluation.pairing import Paired
    from cbir.evaluation.protocol import Study
    from cbir.evaluation.seeds import Spread
    from cbir.items.part import Selection
    from indexer.index import Index
    from indexer.study import StudyPlan

_WHO, _WITH = "Who asks, and who may be found", "Compared with"


def evaluate(
    *,
    index: opt.IndexOption = None,
    label: Annotated[
        str,
        typer.Option(help="What is relevant: items with the same value of label, or of any other column."),
    ] = "label",
    k: Annotated[int, typer.Option("-k", min=1, help="How many hits are judged.")] = 10,
    queries: Annotated[
        str | None,
        typer.Option(
            metavar="WHO",
            help="Who asks (default: every item): another index, an items file, or COLUMN=VALUE[,VALUE].",
            rich_help_panel=_WHO,
        ),
    ] = None,
    gallery: Annotated[
        str | None,
        typer.Option(
            metavar="WHO",
            help="Who may be found (default: every item, the query's own patient left out): an items file, "
            "or COLUMN=VALUE[,VALUE].",
            rich_help_panel=_WHO,
        ),
    ] = None,
    allow_shared_groups: Annotated[
        bool,
        typer.Option(
            "--allow-shared-groups",
            help="Let patients have images among queries and gallery both; a query's own are left out.",
            rich_help_panel=_WHO,
        ),
    ] = False,
    compare: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="INDEX",
            help="Another index of the same files, compared on the same queries.",
            rich_help_panel=_WITH,
        ),
    ] = None,
    repeat: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="INDEX",
            help="The same index from another training seed: mean and spread over the seeds.",
            rich_help_panel=_WITH,
        ),
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
    from cbir.evaluation.summary import summarise
    from cli.renderers.evaluation import Evaluation, render_evaluation, render_evaluation_json
    from indexer.index import Index
    from indexer.study import StudyPlan, split_hash

    others, repeats = compare or [], repeat or []
    asking_path = Path(queries) if queries is not None and Path(queries).is_dir() else None
    plan = StudyPlan(
        label=label,
        k=k,
        queries=_selection(None if asking_path else queries),
        gallery=_selection(gallery),
        may_share_groups=allow_shared_groups,
    )
    if asking_path and (others or repeats):
        raise typer.BadParameter(
            "--compare and --repeat ask each index with its own items: name a part of them"
        )
    if allow_shared_groups and not asking_path and not gallery:
        raise typer.BadParameter("--allow-shared-groups goes with --queries INDEX or --gallery")
    with Index.open(settings.index) as opened:
        study = _study(opened, plan, asking_path)
        evaluation = Evaluation(
            path=opened.path,
            queries=queries,
            gallery=gallery,
            split_hash=split_hash(opened, plan),
            extractor=opened.spec.name,
            fingerprint=opened.fingerprint,
            generation=opened.generation,
            label=label,
            seed=seed,
            study=study,
            summary=summarise(study, seed=seed),
            compared=_compared(study, others, plan, seed),
            spreads=_spreads(study, repeats, plan),
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


def _selection(who: str | None) -> Selection | None:
    """An items file where there is one of this name, else a column and its values."""
    from cbir.items.part import Listed, Part

    if who is None:
        return None
    return Listed.read(who) if Path(who).is_file() else Part.parse(who)


def _study(gallery: Index, plan: StudyPlan, asking_path: Path | None = None) -> Study:
    from indexer.index import Index
    from indexer.study import study_index

    if asking_path is None:
        return study_index(gallery, plan)
    with Index.open(asking_path) as asking:
        return study_index(gallery, plan, asking=asking)


def _compared(study: Study, others: Sequence[Path], plan: StudyPlan, seed: int) -> list[tuple[Path, Paired]]:
    from cbir.evaluation.pairing import compare_studies

    return [(path, compare_studies(study, _study_at(path, plan), seed=seed)) for path in others]


def _spreads(study: Study, repeats: Sequence[Path], plan: StudyPlan) -> Mapping[str, Spread]:
    from cbir.evaluation.seeds import spread_over_seeds

    return spread_over_seeds([study, *(_study_at(path, plan) for path in repeats)]) if repeats else {}


def _study_at(path: Path, plan: StudyPlan) -> Study:
    from indexer.index import Index

    with Index.open(path) as index:
        return _study(index, plan)
