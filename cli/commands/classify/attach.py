"""`cbir classify attach`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cbir.printable import printable
from cli import options as opt
from cli.exit_codes import ExitCode
from cli.opening import look_at_index, open_writer
from cli.settings import load_settings
from cli.terminal import note

if TYPE_CHECKING:
    from cli.attach import AttachReport

_SHOWN = 10


def attach(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run of cbir classify train.")],
    *,
    index: opt.IndexOption = None,
    name: Annotated[
        str | None,
        typer.Option(help="What to attach it under, of a-z, 0-9 and - (default: its network's name)."),
    ] = None,
    label: Annotated[
        str, typer.Option(help="The column of the items that has the classifier's classes.")
    ] = "label",
    no_label: Annotated[
        bool,
        typer.Option("--no-label", help="No column has them: attach it without comparing the classes."),
    ] = False,
    workers: opt.Workers = None,
    timeout_s: opt.TimeoutS = None,
    memory_mb: opt.MemoryMb = None,
    max_pixel_mb: opt.MaxPixelMb = None,
    max_file_mb: opt.MaxFileMb = None,
) -> None:
    """Ask a classifier about every item of an index, and keep its network and what it said with the index.

    Run it again after `cbir index update`: only images that it was not asked about are read. Exits with 3
    when an item's file is missing, changed or can't be read. Research use only, not for diagnosis.
    """
    from cli.attach import attach_classifier

    settings = load_settings(
        index=index, workers=workers, timeout_s=timeout_s, memory_mb=memory_mb, max_pixel_mb=max_pixel_mb,
        max_file_mb=max_file_mb,
    )  # fmt: skip
    with open_writer(settings) as writer, look_at_index(settings) as there:
        report = attach_classifier(run, there, writer, settings, name=name, label=None if no_label else label)
    _tell(report, settings.index)
    if report.skipped:
        raise typer.Exit(ExitCode.SKIPPED)


def _tell(report: AttachReport, index: Path) -> None:
    reasons = ", ".join(f"{reason} {count}" for reason, count in report.skipped.items())
    rows = [
        ("items", report.n_items, ""),
        ("known", report.n_known, "from before"),
        ("classified", report.n_classified, ""),
        ("skipped", sum(report.skipped.values()), reasons),
    ]
    width = len(str(report.n_items))
    for what, count, remark in rows:
        note(f"{what:<11}{count:>{width}}" + (f"  {remark}" if remark else ""))
    for each in report.unread[:_SHOWN]:
        note(f"{printable(each.path)}: {each.reason}: {each.detail}")
    if len(report.unread) > _SHOWN:
        note(f"… and {len(report.unread) - _SHOWN} files more")
    if report.note:
        note(report.note)
    if report.n_learned:
        note(f"the classifier learned from {report.n_learned} of the items: measure it on others")
    note(f"attached to {index}: cbir search IMAGE --rerank {report.name}")
