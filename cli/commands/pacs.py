"""`cbir pacs`."""

from __future__ import annotations

from typing import Annotated

import typer

from cbir.errors import ItemsError
from cli import options as opt
from cli.settings import load_settings
from cli.terminal import note

group = typer.Typer(no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]})


@group.callback()
def pacs() -> None:
    """What a PACS has, in an index."""


@group.command("watch")
def watch(
    *,
    index: opt.IndexOption = None,
    every_s: Annotated[
        float, typer.Option(min=0.1, help="Seconds from one look at the PACS to the next.")
    ] = 60.0,
    prune: Annotated[bool, typer.Option("--prune", help="Drop items that the PACS has no more.")] = False,
    workers: opt.Workers = None,
) -> None:
    """Keep an index up to date with the PACS that it was built from, until Ctrl-C or SIGTERM.

    Between updates it holds no lock, and it goes on when the PACS is away for a while.
    """
    from cli.opening import look_at_index
    from cli.watching import until_stopped, watch_pacs
    from indexer.ingesting.news import pacs_of

    settings = load_settings(index=index, workers=workers)
    with look_at_index(settings) as there:
        sources = pacs_of(there)
    if not sources:
        raise ItemsError(
            f"Index {settings.index} was built from no PACS. Add one: cbir index update "
            f"dicomweb+http://host/dicom-web -i {settings.index}"
        )
    note(f"watching {', '.join(sources)} every {every_s:g} s")
    with until_stopped() as stop:
        watch_pacs(settings, every_s=every_s, prune=prune, stop=stop)
    note("stopped; what is embedded is in the index")
