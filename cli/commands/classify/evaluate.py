"""`cbir classify evaluate`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.group import COMMAND
from cli.terminal import note, out

if TYPE_CHECKING:
    from classifiers.evaluation.judged import Judged

_WHO, _WITH, _OUT = "What is judged", "Compared with", "What is written"


def evaluate(
    ctx: typer.Context,
    predictions: Annotated[
        Path,
        typer.Argument(
            metavar="PREDICTIONS|RUN",
            help="A table of predictions, CSV or Parquet: path, label, group, split, p:CLASS for each class; "
            "or a run of cbir classify train: its test part.",
        ),
    ],
    *,
    split: Annotated[
        str | None,
        typer.Option(help="The rows whose split this is; of a run test or val.", rich_help_panel=_WHO),
    ] = None,
    ordinal: Annotated[
        bool | None,
        typer.Option(
            "--ordinal/--nominal",
            help="Whether the classes, as their columns are ordered, are grades (default: as the run says; "
            "of a table where all are whole numbers in ascending order).",
            rich_help_panel=_WHO,
        ),
    ] = None,
    positive: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS", help="The class that one would act on (default: each).", rich_help_panel=_WHO
        ),
    ] = None,
    compare: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PREDICTIONS|RUN",
            help="Another classifier's, compared on the same images.",
            rich_help_panel=_WITH,
        ),
    ] = None,
    repeat: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PREDICTIONS|RUN",
            help="The same classifier from another training seed: mean and spread over the seeds.",
            rich_help_panel=_WITH,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the intervals and permutations.")] = 0,
    html: Annotated[
        Path | None,
        typer.Option(
            help="Write the report here: one page with ROC, reliability and decision curves.",
            rich_help_panel=_OUT,
        ),
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.npy",
            help="With --html: what the network made of each image, a row an image of the table; as a map.",
            rich_help_panel=_OUT,
        ),
    ] = None,
    with_map: Annotated[
        bool,
        typer.Option(
            "--map",
            help="With --html and a run: read its images again, and map what its network makes of them.",
            rich_help_panel=_OUT,
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON document on stdout.", rich_help_panel=_OUT)
    ] = False,
) -> None:
    """Measure a classifier's predictions, with chance beside every number.

    Intervals are bootstraps over patients. Research use only, not for diagnosis.
    """
    started = time.perf_counter()
    _refuse_what_clashes(predictions, html, features, with_map=with_map)
    from classifiers.evaluation.evaluate import evaluate as measured
    from cli.classifying import Asked, judged_at, provenance_of
    from cli.renderers.classification import render_classification, render_classification_json

    asked = Asked(
        predictions, split, ordinal, positive, tuple(compare or ()), tuple(repeat or ()), seed,
        command=str(ctx.meta[COMMAND]),
    )  # fmt: skip

    def judged(path: Path) -> Judged:
        return judged_at(path, asked)

    evaluation = measured(
        judged(predictions),
        others=[(str(path), judged(path)) for path in asked.compare],
        repeats=[judged(path) for path in asked.repeat],
        seed=seed,
    )
    if positive is not None and positive not in evaluation.judged.classes:
        classes = ", ".join(evaluation.judged.classes)
        raise typer.BadParameter(f"--positive is {positive!r}; the classes are {classes}")
    provenance = provenance_of(asked)
    if html:
        from classifiers.report import render_report, report_of
        from cli.mapping import embeddings_of_run, features_at
        from cli.renderers.page import write_page
        from cli.settings import load_settings

        rows = None
        if features is not None:
            rows = features_at(features, asked)
        elif with_map:
            rows = embeddings_of_run(evaluation.judged, asked, load_settings())
        write_page(render_report(report_of(evaluation, provenance, positive=positive, features=rows)), html)
    seconds = time.perf_counter() - started
    out(
        render_classification_json(evaluation, provenance, positive=positive, seconds=seconds)
        if as_json
        else render_classification(evaluation, provenance)
    )
    for each in evaluation.notes:
        note(each)
    if html:
        note(f"written: {html}")


def _refuse_what_clashes(
    predictions: Path, html: Path | None, features: Path | None, *, with_map: bool
) -> None:
    if html is None and (features is not None or with_map):
        raise typer.BadParameter("--features and --map go with --html")
    if with_map and (features is not None or not predictions.is_dir()):
        raise typer.BadParameter("--map is of a run's own network; of a table give --features alone")
