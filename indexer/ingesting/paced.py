"""When a run commits, and whom it tells how far it is."""

from __future__ import annotations

import time

from indexer.ingesting.account import Account, ProgressListener
from indexer.ingesting.stopwatch import Stopwatch
from indexer.writer import IndexWriter

_COMMIT_SHARE = 20
"""A commit copies the catalog: at least this many times its cost lies between two of them."""


class PacedCommits:
    """The commits of one run; its account and stopwatch are written to.

    Args:
        writer: is committed.
        account: gets what was acknowledged, and whether the run was asked to stop.
        watch: times the commits.
        every_s: at least so long lies between two of them.
        on_progress: is told; True asks to stop.
    """

    def __init__(
        self,
        writer: IndexWriter,
        account: Account,
        watch: Stopwatch,
        *,
        every_s: float,
        on_progress: ProgressListener | None,
    ) -> None:
        self._writer = writer
        self._account = account
        self._watch = watch
        self._every_s = every_s
        self._on_progress = on_progress
        self._committed_at = time.monotonic()
        self._cost_s = 0.0

    @property
    def is_due(self) -> bool:
        """Whether it is time for another."""
        pause_s = max(self._every_s, _COMMIT_SHARE * self._cost_s)
        return time.monotonic() - self._committed_at > pause_s

    def commit(self) -> None:
        """Commit; what was found so far is acknowledged."""
        started = time.monotonic()
        with self._watch.stage("commit"):
            self._writer.commit()
        self._committed_at = time.monotonic()
        self._cost_s = self._committed_at - started
        self._account.acknowledged = self._account.found

    def tell(self) -> bool:
        """Tell how far the run has come; whether it was asked to stop."""
        if self._on_progress and self._on_progress(self._account.progress()):
            self._account.interrupted = True
        return self._account.interrupted
