"""`cbir classify tune`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import options as opt
from cli.opening import open_index, open_writer
from cli.reranking import DEFAULT_DEPTH
from cli.selecting import selection
from cli.settings import load_settings
from cli.terminal import note, out


def tune(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An attached classifier.")],
    *,
    queries: Annotated[
        str,
        typer.Option(
            metavar="WHO",
            help="Who asks: a validation part that the classifier did not learn from, COLUMN=VALUE[,VALUE] "
            "or an items file. Report on another.",
        ),
    ],
    index: opt.IndexOption = None,
    gallery: Annotated[
        str | None,
        typer.Option(
            metavar="WHO",
            help="Who may be found (default: those who ask, each one's own patient left out).",
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(help="What is relevant (default: the column that was attached with, else label)."),
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many hits are judged.")] = 10,
    depth: Annotated[
        int, typer.Option("--rerank-depth", min=1, help="How many hits are ordered anew.")
    ] = DEFAULT_DEPTH,
    seed: Annotated[int, typer.Option(min=0, help="Of the intervals and permutations.")] = 0,
    as_json: opt.AsJson = False,
) -> None:
    """Choose how much re-ranking heeds the classifier, by what a validation part finds.

    The blend with the best macro P@k is kept in the index, and used by `--rerank NAME` from then on; 0,
    similarity alone, where nothing finds more.
    """
    from cli.renderers.blends import render_blends, render_blends_json, verdict
    from cli.tuning_blend import keep_blend, tune_attached
    from indexer.study import StudyPlan

    if k > depth:
        raise typer.BadParameter(f"--rerank-depth is {depth}, and -k asks for {k}: give --rerank-depth {k}")
    settings = load_settings(index=index)
    with open_index(settings) as opened:
        plan = StudyPlan(label=label or "", k=k, queries=selection(queries), gallery=selection(gallery))
        tuning, tuned = tune_attached(opened, name, plan, queries, depth=depth, seed=seed)
    with open_writer(settings) as writer:
        keep_blend(writer, name, tuning.blend, tuned)
    out(render_blends_json(tuning, seed=seed) if as_json else render_blends(tuning))
    for each in tuning.plain.notes:
        note(each)
    note(verdict(tuning, name))
