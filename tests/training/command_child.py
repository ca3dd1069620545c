"""`cbir train` in a process of its own, which something happens to: WHAT, then the command's words.

WHAT is ``kill`` or ``interrupt`` in the second epoch, to the process that shows the progress, or ``nothing``.
"""

from __future__ import annotations

import os
import signal
import sys

from cli.app import app
from cli.training import TrainingDisplay

SIGNALS = {"kill": signal.SIGKILL, "interrupt": signal.SIGINT}


def main() -> None:
    what, *words = sys.argv[1:]
    shown = TrainingDisplay.step

    def step(self, done) -> None:
        shown(self, done)
        if what in SIGNALS and (done.epoch, done.step) == (2, 1):
            os.kill(os.getpid(), SIGNALS[what])

    TrainingDisplay.step = step
    app(words, prog_name="cbir")


if __name__ == "__main__":
    main()
