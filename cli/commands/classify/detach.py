"""`cbir classify detach`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import options as opt
from cli.opening import look_at_index, open_writer
from cli.settings import load_settings
from cli.terminal import note
from deploy.labelling.attached import attached_classifier


def detach(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An attached classifier.")],
    *,
    index: opt.IndexOption = None,
) -> None:
    """Remove a classifier from an index, with all that it said of the items; the run's folder stays."""
    settings = load_settings(index=index)
    with open_writer(settings) as writer, look_at_index(settings) as there:
        attached_classifier(there, name)
        writer.detach(name)
        writer.commit()
    note(f"removed {name} from {settings.index}")
