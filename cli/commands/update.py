"""`cbir index update`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cbir.errors import CbirError
from cli import options as opt
from cli.ingesting import ingest_options, leave, run_ingest, source_list
from cli.opening import look_at_index
from cli.qdrant import server_of
from cli.settings import load_settings

if TYPE_CHECKING:
    from indexer.ingesting.account import IngestReport, ProgressListener


def update(
    sources: Annotated[
        list[str] | None,
        typer.Argument(help="New sources, remembered beside the old (default: all remembered)."),
    ] = None,
    *,
    index: opt.IndexOption = None,
    prune: Annotated[bool, typer.Option("--prune", help="Drop items whose file is gone.")] = False,
    labels: opt.Labels = None,
    label: opt.LabelColumn = None,
    group: opt.GroupColumn = None,
    skipped: opt.Skipped = None,
    workers: opt.Workers = None,
    timeout_s: opt.TimeoutS = None,
    memory_mb: opt.MemoryMb = None,
    max_pixel_mb: opt.MaxPixelMb = None,
    max_file_mb: opt.MaxFileMb = None,
    for_processing: opt.ForProcessing = None,
    secondary_capture: opt.SecondaryCapture = None,
    burned_in: opt.BurnedIn = None,
) -> None:
    """Bring an index up to date: new, changed and moved files, changed labels.

    It uses the networks that the index carries; files that are known already are not embedded again.
    """
    from indexer.ingest import update_index
    from indexer.ingesting.memos import remembered_sources

    settings = load_settings(
        index=index, workers=workers, timeout_s=timeout_s, memory_mb=memory_mb, max_pixel_mb=max_pixel_mb,
        max_file_mb=max_file_mb, for_processing=for_processing, secondary_capture=secondary_capture,
        burned_in=burned_in,
    )  # fmt: skip
    with look_at_index(settings) as there:
        remembered = remembered_sources(there)
    new = source_list(sources, labels, label, group) if sources else None
    if new is None and (labels or label or group):
        raise CbirError("--labels, --label and --group belong to sources: name the SRC that they are for.")
    options = ingest_options(settings, prune=prune)

    def ingest(on_progress: ProgressListener) -> IngestReport:
        return update_index(settings.index, new, options, server=server_of(settings), on_progress=on_progress)

    look_at = [new] if new else remembered
    leave(run_ingest(ingest, source_lists=look_at, index=settings.index, skipped=skipped))
