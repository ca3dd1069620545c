"""`cbir classify predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options as opt
from cli.settings import load_settings


def predict(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="The folder of a classifier: a run of cbir classify train.")
    ],
    sources: Annotated[
        list[str], typer.Argument(metavar="SRC...", help="Folders, globs, files, or items files.")
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The CSV file to write, in the place of one there.")
    ] = Path("predictions.csv"),
    labels: opt.Labels = None,
    label: opt.LabelColumn = None,
    group: opt.GroupColumn = None,
    skipped: Annotated[
        Path | None, typer.Option(help="Write a JSON line for every skipped file here (default: nowhere).")
    ] = None,
    workers: opt.Workers = None,
    timeout_s: opt.TimeoutS = None,
    memory_mb: opt.MemoryMb = None,
    max_pixel_mb: opt.MaxPixelMb = None,
    max_file_mb: opt.MaxFileMb = None,
    for_processing: opt.ForProcessing = None,
    secondary_capture: opt.SecondaryCapture = None,
    burned_in: opt.BurnedIn = None,
) -> None:
    """Say of images how probable each class is: a table, a row an image, a column a class.

    Labels and patients come along, so that cbir classify evaluate can measure it. Research use only, not for
    diagnosis. Exit code 3 when some files were skipped.
    """
    settings = load_settings(
        workers=workers, timeout_s=timeout_s, memory_mb=memory_mb, max_pixel_mb=max_pixel_mb,
        max_file_mb=max_file_mb, for_processing=for_processing, secondary_capture=secondary_capture,
        burned_in=burned_in,
    )  # fmt: skip
    from cli.classifying_images import Asked, write_predicted
    from cli.ingesting import leave

    asked = Asked(tuple(sources), labels, label, group)
    leave(write_predicted(run, asked, output, settings, skipped=skipped))
