"""`cbir classify explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options as opt
from cli.exit_codes import ExitCode
from cli.settings import load_settings
from cli.terminal import note, out


def explain(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a trained classifier.")],
    images: Annotated[list[str], typer.Argument(metavar="IMG...", help="Image files.")],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where the pictures and explain.json go.")
    ],
    label: Annotated[
        str | None, typer.Option(metavar="CLASS", help="The class to look for (default: the predicted one).")
    ] = None,
    timeout_s: opt.TimeoutS = None,
    memory_mb: opt.MemoryMb = None,
    max_pixel_mb: opt.MaxPixelMb = None,
    max_file_mb: opt.MaxFileMb = None,
) -> None:
    """Show where in images a classifier sees a class: Grad-CAM, a picture an image.

    Takes PyTorch. Exits with 3 when an image could not be read. Research use only, not for diagnosis.
    """
    settings = load_settings(
        timeout_s=timeout_s, memory_mb=memory_mb, max_pixel_mb=max_pixel_mb, max_file_mb=max_file_mb
    )
    from cli.classifier_explaining import explain_predictions

    explained = explain_predictions(run, images, output, label, settings)
    out("".join(f"{line}\n" for line in explained.lines))
    for each in explained.unread:
        note(f"skipped {each}")
    note(f"wrote {output}")
    if explained.unread:
        raise typer.Exit(ExitCode.SKIPPED)
