"""An ingest run as a command sees it: progress, account, skipped files, exit code."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cbir.errors import CbirError
from cli.exit_codes import ExitCode
from cli.patient_key import read_or_make_key
from cli.settings import Settings
from cli.terminal import note

if TYPE_CHECKING:
    from indexer.ingesting.account import IngestOptions, IngestReport, ProgressListener, SourceList


def source_list(
    sources: Sequence[str], labels: str | None, label_column: str | None, group_column: str | None
) -> SourceList:
    """The sources with absolute paths, so that `index update` finds them from anywhere; of a PACS its URL."""
    from indexer.ingesting.account import SourceList

    return SourceList(
        sources=tuple(_absolute(each) for each in sources),
        labels=os.path.abspath(labels) if labels else None,  # noqa: PTH100 (likewise)
        label_column=label_column,
        group_column=group_column,
    )


def ingest_options(settings: Settings, *, prune: bool = False) -> IngestOptions:
    """How the run works; makes the user's patient key when there is none."""
    from cli.pacs_access import pacs_access
    from indexer.ingesting.account import IngestOptions

    return IngestOptions(
        limits=settings.limits,
        policy=settings.policy,
        n_workers=settings.workers,
        hash_key=read_or_make_key(settings.patient_key),
        prune=prune,
        device=settings.device,
        pacs=pacs_access(settings),
    )


def run_ingest(
    ingest: Callable[[ProgressListener], IngestReport],
    *,
    source_lists: Sequence[SourceList],
    index: Path,
    skipped: Path | None,
) -> ExitCode:
    """Run it, show how far it is, and give the account.

    Args:
        ingest: takes the listener, does the work.
        source_lists: what it will look at, to count.
        index: the index directory.
        skipped: where the skipped files are listed; None puts the list into the index when there are any.
    """
    from cli.progress import ProgressDisplay

    with ProgressDisplay(lambda: _count_files(source_lists, index)) as display:
        report = ingest(display)
    return give_account(report, index=index, skipped=skipped)


def give_account(report: IngestReport, *, index: Path, skipped: Path | None) -> ExitCode:
    """Tell what became of every file, and list the skipped ones, as ``run_ingest`` does."""
    from cli.account import tell_account, write_skipped

    tell_account(report)
    log = skipped or index / "skipped.jsonl"  # in there, so that no later run finds it among the images
    if skipped or report.skipped_files:
        write_skipped(report.skipped_files, log)
        note(f"skipped files, with reasons: {log}")
    else:
        log.unlink(missing_ok=True)  # of a run before
    if report.interrupted:
        note("interrupted, run again to go on")
        return ExitCode.INTERRUPTED
    return ExitCode.SKIPPED if report.skipped_files else ExitCode.DONE


def leave(code: ExitCode) -> None:
    """End the command with a code that is not an error.

    Raises:
        Exit: with the code, unless it is 0.
    """
    if code is not ExitCode.DONE:
        raise typer.Exit(code)


def _absolute(source: str) -> str:
    from cbir.items import Source
    from cbir.items.dicomweb import is_pacs

    if is_pacs(source):
        return str(Source.parse(source))
    return os.path.abspath(source)  # noqa: PTH100 (names that are not UTF-8 stay)


def _count_files(source_lists: Sequence[SourceList], index: Path) -> int | None:
    """Of what the run will find; a look at names only. A PACS is not asked twice: None."""
    from cbir.items import find_items
    from cbir.items.dicomweb import is_pacs

    if any(is_pacs(source) for each in source_lists for source in each.sources):
        return None
    with contextlib.suppress(CbirError):  # the run itself will say it
        return sum(
            1
            for each in source_lists
            for _ in find_items(
                each.sources,
                labels=Path(each.labels) if each.labels else None,
                label_column=each.label_column,
                group_column=each.group_column,
                without=index,
            )
        )
    return None
