"""`cbir datasets list` and `cbir datasets prepare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options as opt
from cli.exit_codes import UsageProblem
from cli.settings import load_settings
from cli.terminal import note


def list_datasets() -> None:
    """Say which public data sets can be prepared, where they come from, and under which terms."""
    from cbir.items.datasets import DATASETS
    from cli.renderers.table import columns

    rows = [[name, each.title, each.home, each.terms] for name, each in DATASETS.items()]
    typer.echo(columns([["name", "data set", "from", "terms"], *rows]), nl=False)


def prepare(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `cbir datasets list` says.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the release was unpacked to.")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="The items file to write, CSV.")] = Path(
        "items.csv"
    ),
    masks: Annotated[
        bool, typer.Option("--masks/--no-masks", help="Read masks for the boxes of lesions, or leave them.")
    ] = True,
    workers: opt.Workers = None,
    timeout_s: opt.TimeoutS = None,
    memory_mb: opt.MemoryMb = None,
    max_pixel_mb: opt.MaxPixelMb = None,
    max_file_mb: opt.MaxFileMb = None,
) -> None:
    """Make an items file of a public data set's release. Nothing is downloaded.

    Labels, grades, patients, views, sides, densities and lesions are taken as far as the release has them;
    its counts are held against the published ones. A part of a release will do, and is said to be one.
    """
    from cbir.items.datasets import DATASETS
    from cbir.items.datasets import prepare as prepare_dataset
    from cli.masks import MaskReader
    from cli.renderers.table import columns

    if name not in DATASETS:
        raise UsageProblem(f"{name!r} is no data set that cbir knows; there are {', '.join(DATASETS)}.")
    dataset = DATASETS[name]
    settings = load_settings(
        workers=workers,
        timeout_s=timeout_s,
        memory_mb=memory_mb,
        max_pixel_mb=max_pixel_mb,
        max_file_mb=max_file_mb,
    )
    release = prepare_dataset(dataset, folder, output, look_at=MaskReader(settings) if masks else None)
    rows = [
        [
            count.what,
            str(count.found),
            str(count.published),
            "" if count.found == count.published else "differs",
        ]
        for count in release.counts
    ]
    typer.echo(columns([[dataset.title, "found", "published", ""], *rows], keep=("",)), nl=False)
    for line in release.notes:
        note(f"note: {line}")
    note(f"from: {dataset.home}; terms: {dataset.terms}")
    whole = "the whole release" if release.is_whole else "NOT the whole release as published"
    note(f"{output}: {len(release.rows)} images, {whole}")
