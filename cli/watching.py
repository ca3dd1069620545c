"""Keeping an index up to date until somebody asks to stop."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING

from cbir.errors import BackendError, IndexLockedError
from cli.exit_codes import explain
from cli.ingesting import give_account, ingest_options
from cli.qdrant import server_of
from cli.settings import Settings
from cli.terminal import note

if TYPE_CHECKING:
    from indexer.ingesting.account import Progress

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SLICE_S = 0.2


@dataclass(slots=True)
class Stop:
    """Whether somebody asked to stop."""

    is_asked: bool = False

    def pause(self, seconds: float) -> None:
        """Wait, but not once it is asked."""
        until = time.monotonic() + seconds
        while not self.is_asked and (left_s := until - time.monotonic()) > 0:
            time.sleep(min(left_s, _SLICE_S))


@contextmanager
def until_stopped() -> Iterator[Stop]:
    """Within the block Ctrl-C and SIGTERM ask to stop; a second one stops at once."""
    stop = Stop()
    before = {int(number): signal.getsignal(number) for number in _STOP_SIGNALS}

    def ask(number: int, frame: FrameType | None) -> None:
        del frame
        stop.is_asked = True
        signal.signal(number, before[number])

    for number in before:
        signal.signal(number, ask)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def watch_pacs(settings: Settings, *, every_s: float, prune: bool, stop: Stop) -> None:
    """Look for news again and again, and update the index when there are some.

    A PACS that is away, or another writer, is said once and waited for.

    Args:
        settings: of the run.
        every_s: between two looks.
        prune: drop what is gone.
        stop: ends it, what is embedded is kept.
    """
    from cli.pacs_access import pacs_access
    from indexer.ingesting.news import has_news

    said = ""
    while not stop.is_asked:
        try:
            if has_news(settings.index, pacs_access(settings), prune=prune):
                _update(settings, prune=prune, stop=stop)
            trouble = ""
        except (BackendError, IndexLockedError) as error:
            trouble = explain(error)
        if trouble and trouble != said:
            note(trouble)
        said = trouble
        stop.pause(every_s)


def _update(settings: Settings, *, prune: bool, stop: Stop) -> None:
    from indexer.ingest import update_index

    def told(progress: Progress) -> bool:
        del progress
        return stop.is_asked

    options = ingest_options(settings, prune=prune)
    report = update_index(settings.index, None, options, server=server_of(settings), on_progress=told)
    give_account(report, index=settings.index, skipped=None)
