"""A line now and then of how far something is."""

from __future__ import annotations

import time

from cli.terminal import note

_EVERY_S = 10.0


class Telling:
    """Counts, and says how many at most every ten seconds."""

    def __init__(self, what: str, n_all: int | None = None) -> None:
        self._what = what
        self._of = "" if n_all is None else f" of {n_all}"
        self._n_done = 0
        self._told = time.monotonic()

    def one(self) -> None:
        """One more is done."""
        self._n_done += 1
        if time.monotonic() - self._told >= _EVERY_S:
            self._told = time.monotonic()
            note(f"{self._n_done}{self._of} {self._what}")
