"""`cbir classify calibrate`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import options as opt
from cli.selecting import selection
from cli.settings import load_settings
from cli.terminal import note, out


def calibrate(
    *,
    index: opt.IndexOption = None,
    label: Annotated[
        str, typer.Option(help="What is predicted: label, or any other column of the items.")
    ] = "label",
    items: Annotated[
        str | None,
        typer.Option(
            metavar="WHO",
            help="Who asks, a validation part: COLUMN=VALUE[,VALUE] or an items file; the others are then "
            "the gallery (default: every item that has a label).",
        ),
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many hits vote.")] = 25,
    risk: Annotated[
        float,
        typer.Option(min=0.001, max=0.999, help="How often an answer may be wrong; else it abstains."),
    ] = 0.1,
    confidence: Annotated[
        float, typer.Option(min=0.5, max=0.999, help="How surely answers keep to it.")
    ] = 0.9,
    classifier: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="An attached classifier, that did not learn from these items: its posterior counts beside "
            "the vote, with the weight that helps most.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of folds, draws and intervals.")] = 0,
    as_json: opt.AsJson = False,
) -> None:
    """Calibrate what `cbir search --predict` says an image is, and keep that in the index.

    The index's own items ask, each with its whole patient left out. Every number printed is of items of other
    patients than those it was fitted with. Research use only, not for diagnosis.
    """
    settings = load_settings(index=index)
    from classifiers.labels.fitting import Promise
    from cli.calibrating import Request, calibrate_index
    from cli.renderers.calibration import notes_of, render_calibration, render_calibration_json

    request = Request(
        column=label,
        items=selection(items),
        k=k,
        promise=Promise(risk, confidence),
        classifier=classifier,
        seed=seed,
    )
    found = calibrate_index(request, settings)
    out(render_calibration_json(found) if as_json else render_calibration(found))
    for each in notes_of(found):
        note(each)
    note(f"kept in {settings.index}: cbir search IMAGE --predict. Research use only, not for diagnosis")
