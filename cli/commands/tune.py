"""`cbir index tune`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from cbir.errors import SpecError
from cli import options as opt
from cli.exit_codes import UsageProblem
from cli.opening import open_index
from cli.selecting import selection
from cli.settings import load_settings
from cli.terminal import note, out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from indexer.refine import Refinement

_NOTE_EVERY_S = 10.0


def tune(
    *,
    queries: Annotated[
        str,
        typer.Option(
            metavar="WHO",
            help="Who asks: a validation part, COLUMN=VALUE[,VALUE] or an items file. Report on another.",
        ),
    ],
    refine: Annotated[
        list[str],
        typer.Option(
            metavar="NAME[:FIELD=VALUE/VALUE,…]",
            help="What to try: augment, expand, reciprocal, with these values, else its own; again for more.",
        ),
    ],
    index: opt.IndexOption = None,
    tenant: opt.TenantName = None,
    gallery: Annotated[
        str | None,
        typer.Option(
            metavar="WHO",
            help="Who may be found (default: those who ask, each one's own patient left out).",
        ),
    ] = None,
    label: Annotated[
        str,
        typer.Option(help="What is relevant: items with the same value of label, or of any other column."),
    ] = "label",
    k: Annotated[int, typer.Option("-k", min=1, help="How many hits are judged.")] = 10,
    seed: Annotated[int, typer.Option(min=0, help="Of the intervals and permutations.")] = 0,
    as_json: opt.AsJson = False,
) -> None:
    """Try refinements of the search on a validation part, alone and together, against the plain search.

    Writes nothing: the last line is what to add to `cbir search` and `cbir evaluate`.
    """
    settings, grid = load_settings(index=index, tenant=tenant), _grid(refine)
    from cli.renderers.tuning import render_tuning, render_tuning_json, verdict
    from indexer.fitting.refinement import tune_refinements
    from indexer.study import StudyPlan

    plan = StudyPlan(label=label, k=k, queries=selection(queries), gallery=selection(gallery))
    with open_index(settings) as opened:
        found = tune_refinements(opened, plan, grid, seed=seed, on_tried=_Telling())
    out(render_tuning_json(found, seed=seed) if as_json else render_tuning(found))
    for each in found.plain.notes:
        note(each)
    note(verdict(found))


class _Telling:
    """A line now and then."""

    def __init__(self) -> None:
        self._told = time.monotonic()

    def __call__(self, n_tried: int, n_all: int) -> None:
        if time.monotonic() - self._told >= _NOTE_EVERY_S:
            self._told = time.monotonic()
            note(f"{n_tried} of {n_all} settings tried")


def _grid(texts: Sequence[str]) -> list[list[Refinement]]:
    from indexer.refine import parse_grid

    try:
        return parse_grid(texts)
    except SpecError as error:
        raise UsageProblem(f"--refine: {error}") from error
