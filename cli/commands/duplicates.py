"""`cbir index duplicates`."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from cli import options as opt
from cli.exit_codes import ExitCode
from cli.opening import open_index
from cli.settings import load_settings
from cli.terminal import note, out

_LINE_EVERY_S = 10.0


def duplicates(
    *,
    index: opt.IndexOption = None,
    near: Annotated[float, typer.Option(metavar="COSINE", help="Images from this score on are near.")] = 0.98,
    across: Annotated[
        str | None,
        typer.Option(
            "--across",
            "--split",
            metavar="COLUMN",
            help="Only pairs with two values of this column: split, group, label or any other.",
        ),
    ] = None,
    tenant: opt.TenantName = None,
    as_json: opt.AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV, a line a pair.")] = False,
) -> None:
    """Find images that an index holds more than once: same bytes, same pixels, or near.

    Exits with 0 whatever it finds; with --across, where a pair is a leak, with 1 when there is one.
    """
    from cbir.errors import SpecError
    from cli.exit_codes import UsageProblem
    from cli.renderers import duplicates as render
    from indexer.duplicates import find_duplicates

    if as_json and as_csv:
        raise typer.BadParameter("choose one of --json and --csv")
    settings = load_settings(index=index, tenant=tenant)
    with open_index(settings) as opened:
        try:
            found = find_duplicates(opened, near=near, across=across, on_progress=_Paced(len(opened)))
        except SpecError as error:
            raise UsageProblem(f"--near: {error}") from error
    shape = (
        render.render_duplicates_json
        if as_json
        else render.render_duplicates_csv
        if as_csv
        else render.render_duplicates
    )
    out(shape(found))
    for line in render.verdict(found):
        note(line)
    if across is not None and found.clusters:
        raise typer.Exit(ExitCode.ERROR)


class _Paced:
    """A line on stderr now and then."""

    def __init__(self, n_items: int) -> None:
        self._n_items = n_items
        self._told = time.monotonic()

    def __call__(self, n_done: int) -> None:
        if time.monotonic() - self._told >= _LINE_EVERY_S:
            self._told = time.monotonic()
            note(f"{n_done} of {self._n_items} items compared")
