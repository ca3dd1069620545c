"""`cbir evaluate`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli import options as opt
from cli.group import COMMAND
from cli.refining import Refine, refinements
from cli.reranking import By, Depth, reranking
from cli.selecting import condition, selection
from cli.settings import load_settings
from cli.terminal import note, out

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from indexer.cases.stand_ins import CaseLabel, CasePlan

_WHO, _WITH, _OUT = "Who asks, and who may be found", "Compared with", "What is written"


def evaluate(
    ctx: typer.Context,
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
    where: Annotated[
        str | None,
        typer.Option(
            metavar="EXPR",
            help="Measure a part of the index alone: who asks and who may be found fits, as in "
            "\"view = 'MLO' and age >= 50\".",
            rich_help_panel=_WHO,
        ),
    ] = None,
    tenant: opt.TenantName = None,
    allow_shared_groups: Annotated[
        bool,
        typer.Option(
            "--allow-shared-groups",
            help="Let patients have images among queries and gallery both; a query's own are left out.",
            rich_help_panel=_WHO,
        ),
    ] = False,
    refine: Refine = None,
    rerank: By = None,
    rerank_depth: Depth = None,
    by: Annotated[
        Literal["image", "case"],
        typer.Option(help="What asks and is found: images, or cases (examinations).", rich_help_panel=_WHO),
    ] = "image",
    case: opt.CaseColumn = None,
    case_label: Annotated[
        Literal["agree", "max"],
        typer.Option(
            help="Of a case whose images have several labels: none, or the greatest.", rich_help_panel=_WHO
        ),
    ] = "agree",
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
    run: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Judge another system's TREC run over the index's items, in the place of its own search; "
            "with --qrels without any index.",
            rich_help_panel=_WITH,
        ),
    ] = None,
    qrels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What is relevant, for --run alone.", rich_help_panel=_WITH),
    ] = None,
    definition: Annotated[
        str | None,
        typer.Option(
            help="Also measure as others mean it: oml, tfsim, dkfz or mahbod.", rich_help_panel=_WITH
        ),
    ] = None,
    whole_lists: Annotated[
        bool,
        typer.Option(
            "--whole-lists",
            help="Also R-precision, MAP@R and MAP, which need every hit.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the intervals and permutations.")] = 0,
    html: Annotated[
        Path | None,
        typer.Option(
            help="Write the report here: one page with curves, a map, best and worst queries as pictures.",
            rich_help_panel=_OUT,
        ),
    ] = None,
    trec: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write run.txt and qrels.txt here, for trec_eval and its kin.",
            rich_help_panel=_OUT,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON document on stdout.", rich_help_panel=_OUT)
    ] = False,
) -> None:
    """Measure how well an index finds images of the same label, with chance beside every number.

    Every item with a label asks in turn; it and all of its patient leave the gallery before the cut.
    Intervals are bootstraps over patients. Research use only, not for diagnosis.
    """
    if qrels is not None:
        _judge_alone(run, qrels, index, k, seed, as_json=as_json)
        return
    others, repeats = compare or [], repeat or []
    asking = Path(queries) if queries is not None and Path(queries).is_dir() else None
    _refuse_what_clashes(
        asking=asking, several=[*others, *repeats], run=run, shares=allow_shared_groups, gallery=gallery
    )
    if run and refine:
        raise typer.BadParameter("--run judges one run as it is: leave out --refine")
    clashes = {"--refine": refine, "--run": run, "--repeat": repeats, "--queries INDEX": asking}
    anew = reranking(rerank, rerank_depth, k, clashes | {"--by case": by == "case"})
    settings = load_settings(index=index, tenant=tenant)
    from cbir.evaluation.definitions import DEFINITIONS
    from cli.evaluating import evaluate_index
    from cli.evaluation_request import Request
    from cli.renderers.evaluation import render_evaluation, render_evaluation_json
    from cli.renderers.page import write_page
    from indexer.study import StudyPlan

    if definition is not None and definition not in DEFINITIONS:
        raise typer.BadParameter(f"--definition is {definition!r}; use one of {', '.join(DEFINITIONS)}")
    plan = StudyPlan(
        label=label,
        k=k,
        queries=selection(None if asking else queries),
        gallery=selection(gallery),
        where=condition(where),
        may_share_groups=allow_shared_groups,
        refinements=refinements(refine),
        cases=_cases(by, case, case_label, of_images={"--run": run, "--refine": refine}),
    )
    request = Request(
        settings=settings, plan=plan, queries=queries, gallery=gallery,
        asking=asking, compare=others, repeat=repeats, rerank=anew, run=run, definition=definition,
        whole_lists=whole_lists, seed=seed, command=str(ctx.meta[COMMAND]),
    )  # fmt: skip
    evaluation = evaluate_index(
        request, report=as_json or html is not None, pictures=html is not None, trec=trec
    )
    if html and evaluation.report:
        from cbir.evaluation.report import render_report

        write_page(render_report(evaluation.report), html)
    out(render_evaluation_json(evaluation) if as_json else render_evaluation(evaluation))
    for each in evaluation.notes:
        note(each)
    for written in (html, trec):
        if written:
            note(f"written: {written}")


def _judge_alone(
    run: Path | None, qrels: Path, index: Path | None, k: int, seed: int, *, as_json: bool
) -> None:
    started = time.perf_counter()
    if run is None or index is not None:
        raise typer.BadParameter("--qrels goes with --run, and without --index")
    from cbir.evaluation.trec import judge, read_qrels, read_run
    from cli.renderers.judged import JudgedRun, render_judged, render_judged_json

    judged = judge(read_run(run), read_qrels(qrels), k, seed=seed)
    result = JudgedRun(run, qrels, seed, judged, time.perf_counter() - started)
    out(render_judged_json(result) if as_json else render_judged(result))
    for each in judged.notes:
        note(each)


def _refuse_what_clashes(
    *, asking: Path | None, several: Sequence[Path], run: Path | None, shares: bool, gallery: str | None
) -> None:
    if asking and several:
        raise typer.BadParameter(
            "--compare and --repeat ask each index with its own items: name a part of them with --queries"
        )
    if run and several:
        raise typer.BadParameter("--run judges one run: leave out --compare and --repeat")
    if shares and not asking and not gallery:
        raise typer.BadParameter("--allow-shared-groups goes with --queries INDEX or --gallery")


def _cases(
    by: str, column: str | None, label: CaseLabel, *, of_images: Mapping[str, object]
) -> CasePlan | None:
    """How cases are measured; None where images are."""
    from indexer.cases.stand_ins import CasePlan

    if by == "image":
        if column is not None or label != "agree":
            raise typer.BadParameter("--case and --case-label go with --by case")
        return None
    if clash := next((option for option, value in of_images.items() if value), None):
        raise typer.BadParameter(f"{clash} is of images: leave out --by case")
    return CasePlan(column, label)
