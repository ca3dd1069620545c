"""How far an ingest run has come: a bar at a terminal, else a line now and then; and Ctrl-C, gently."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Self

from cli.terminal import has_terminal, note
from indexer.ingesting.account import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

_LINE_EVERY_S = 10.0
_STOPPING = "stopping: what is embedded will be kept; once more stops at once"
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class ProgressDisplay:
    """Listens to an ingest run; asks it to stop after the first Ctrl-C, and lets the second through.

    Args:
        count_files: counts what the run will find, in a thread of its own; gives the bar its end.
    """

    def __init__(self, count_files: Callable[[], int | None]) -> None:
        self._count_files = count_files
        self._bar = open_bar() if has_terminal() else None
        self._task: TaskID | None = None
        self._total: int | None = None
        self._stopping = False
        self._handlers: dict[
            int, signal.Handlers | int | Callable[[int, FrameType | None], object] | None
        ] = {}
        self._started = self._told = 0.0

    def __call__(self, progress: Progress) -> bool:
        """Show it; True asks the run to stop."""
        if not self._handlers and threading.current_thread() is threading.main_thread():
            self._handlers = {each: signal.signal(each, self._stop) for each in _STOP_SIGNALS}
        self._started = self._started or time.monotonic()
        self._told = self._told or self._started
        if self._bar is not None and self._task is not None:
            counts = f"{progress.indexed} indexed, {progress.skipped} skipped"
            text = f"{self._rate(progress):.3g}/s, {counts}, {progress.acknowledged} committed"
            self._bar.update(self._task, completed=_done(progress), total=self._total, description=text)
        elif time.monotonic() - self._told >= _LINE_EVERY_S:
            self._told = time.monotonic()
            note(self._line(progress))
        return self._stopping

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task("looking for images", total=None)
            threading.Thread(target=self._count, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if self._bar is not None:
            self._bar.stop()

    def _count(self) -> None:
        self._total = self._count_files()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._stopping = True
        signal.signal(number, self._handlers[number])
        (self._bar.console.print if self._bar else note)(_STOPPING)

    def _rate(self, progress: Progress) -> float:
        """Files a second, since the first one was done."""
        return _done(progress) / max(time.monotonic() - self._started, 1e-3)

    def _line(self, progress: Progress) -> str:
        known = f"{progress.unchanged} unchanged, {progress.duplicate} duplicate, {progress.skipped} skipped"
        pace = f"{_done(progress)} files ({self._rate(progress):.3g}/s)"
        return f"{pace}: {progress.indexed} indexed, {known}; {progress.acknowledged} committed"


def _done(progress: Progress) -> int:
    return progress.indexed + progress.unchanged + progress.duplicate + progress.skipped


def open_bar() -> Bar:
    """A bar on stderr that goes when it is done; not started yet."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    return Bar(
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.description}", markup=False),
        console=Console(stderr=True),
        transient=True,
    )
