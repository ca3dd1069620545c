"""`cbir search`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options as opt
from cli import search_options as of
from cli.exit_codes import ExitCode
from cli.qdrant import Url
from cli.refining import Refine, refinements
from cli.reranking import By, Depth, reranking
from cli.selecting import condition
from cli.settings import load_settings
from cli.showing import Shown, show
from cli.terminal import note

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cbir.images.tiles import Box
    from cli.question import Question
    from cli.settings import Settings


def search(
    query: Annotated[
        str | None,
        typer.Argument(metavar="QUERY", help="An image file, or the id of an item; a folder, or a case."),
    ] = None,
    *,
    k: Annotated[int, typer.Option("-k", min=1, help="How many hits.")] = 10,
    index: opt.IndexOption = None,
    roi: of.Roi = None,
    like: of.Like = None,
    unlike: of.Unlike = None,
    batch: of.Batch = None,
    by: of.By = "image",
    case: opt.CaseColumn = None,
    tta: of.Tta = None,
    predict: of.Predict = False,
    exclude_same: of.ExcludeSame = None,
    where: of.Where = None,
    tenant: opt.TenantName = None,
    refine: Refine = None,
    rerank: By = None,
    rerank_depth: Depth = None,
    store: of.Store = None,
    qdrant_url: Url = None,
    as_json: of.AsJson = False,
    as_csv: of.AsCsv = False,
    as_paths: of.AsPaths = False,
    html: of.Html = None,
    explain: of.Explain = None,
    thumbs: of.Thumbs = None,
    output: of.Output = None,
    workers: opt.Workers = None,
    timeout_s: opt.TimeoutS = None,
    memory_mb: opt.MemoryMb = None,
    max_pixel_mb: opt.MaxPixelMb = None,
    max_file_mb: opt.MaxFileMb = None,
) -> None:
    """Find the images of an index that look most like one image, or of many; or the cases most like a case.

    The score is the cosine of the two embeddings, 1 for the same image; with --refine, what the last
    refinement orders by; with --rerank, blended with what a classifier says. Exits with 3 when a query of a
    batch could not be answered, or an image of a case not be read. Research use only, not for diagnosis.
    """
    started = time.perf_counter()
    settings = load_settings(
        index=index,
        tenant=tenant,
        workers=workers,
        timeout_s=timeout_s,
        memory_mb=memory_mb,
        max_pixel_mb=max_pixel_mb,
        max_file_mb=max_file_mb,
        qdrant_url=qdrant_url,
    )
    shown = Shown.chosen(as_json=as_json, as_csv=as_csv, as_paths=as_paths, html=html, thumbs=thumbs)
    alone: dict[str, object] = {"QUERY": query, "--roi": roi, "--like": like, "--unlike": unlike}
    alone |= {
        "--json": as_json,
        "--paths": as_paths,
        "--html": html,
        "--thumbs": thumbs,
        "--predict": predict,
        "--explain": explain,
    }
    _check(alone, batch=batch, output=output)
    of_images: dict[str, object] = {
        "--roi": roi,
        "--like": like,
        "--unlike": unlike,
        "--batch": batch,
        "--refine": refine,
        "--rerank": rerank,
    }
    of_images |= {"--thumbs": thumbs, "--predict": predict, "--explain": explain}
    _check_cases(by, case, of_images)
    from cli.asking import ask
    from cli.question import Question

    question = Question(
        text=query,
        k=k,
        region=None if roi is None else _region(roi),
        like=tuple(like or ()),
        unlike=tuple(unlike or ()),
        tta=opt.views(tta),
        exclude_same_group=exclude_same == "group",
        where=condition(where),
        refinements=refinements(refine),
        thumbnails=shown.needs_thumbnails,
        store=store,
        predicts=predict,
        explain=explain,
        rerank=reranking(
            rerank,
            rerank_depth,
            k,
            {"--refine": refine, "--batch": batch, "--like without QUERY": query is None},
        ),
    )
    if batch is not None:
        _search_batch(batch, output, question, settings)
    elif by == "case":
        _search_cases(question, case, settings, shown, started)
    else:
        show(ask(question, settings, started=started), shown)


def _check(alone: dict[str, object], *, batch: str | None, output: Path | None) -> None:
    """One thing is asked: an image, an item, what is like some items; or a batch."""
    if batch is None:
        if alone["QUERY"] is None and not alone["--like"]:
            raise typer.BadParameter(
                "name what to search for: an image file, the id of an item, --like ID, or --batch FILE"
            )
        if output is not None:
            raise typer.BadParameter("--output is where --batch writes; here write --csv > FILE")
        return
    if given := [name for name, value in alone.items() if value]:
        raise typer.BadParameter(f"--batch and {given[0]} can't go together")
    if output is not None and output.suffix.lower() not in {".csv", ".parquet"}:
        raise typer.BadParameter(f"--output {output} must end in .csv or .parquet")


def _check_cases(by: str, column: str | None, of_images: Mapping[str, object]) -> None:
    """What is of images and what is of cases don't mix."""
    if by == "image":
        if column is not None:
            raise typer.BadParameter("--case goes with --by case")
    elif clash := next((option for option, value in of_images.items() if value), None):
        raise typer.BadParameter(f"{clash} is of images: leave out --by case")


def _search_cases(
    question: Question, column: str | None, settings: Settings, shown: Shown, started: float
) -> None:
    from cli.asking_cases import ask_by_case
    from cli.showing_cases import show_cases

    answer = ask_by_case(question, column, settings, started=started)
    show_cases(answer, shown)
    if answer.skipped:
        raise typer.Exit(ExitCode.SKIPPED)


def _search_batch(queries: str, output: Path | None, question: Question, settings: Settings) -> None:
    from cli.batch import search_batch, tell_failed

    report = search_batch(queries, output, question, settings)
    tell_failed(report.failed, output and output.with_name(f"{output.name}.skipped.jsonl"))
    if output is not None:
        note(f"wrote {output}")
    for line in report.lines():
        note(line)
    if report.failed:
        raise typer.Exit(ExitCode.SKIPPED)


def _region(text: str) -> Box:
    from cbir.images.region import parse_region

    try:
        return parse_region(text)
    except ValueError as error:
        raise typer.BadParameter(f"--roi: {error}") from None
