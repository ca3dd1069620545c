"""Two programs in turn, and the ratio of their times."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Ratio:
    """``theirs / ours`` for what should be faster, turn by turn."""

    name: str
    ours_s: Sequence[float]
    theirs_s: Sequence[float]
    goal: str
    note: str = ""

    HEADER: ClassVar[str] = f"{'':44} {'ours':>10} {'theirs':>10}   ratio [min, max]      goal"

    def __str__(self) -> str:
        ratios = sorted(theirs / ours for ours, theirs in zip(self.ours_s, self.theirs_s, strict=True))
        ours, theirs = statistics.median(self.ours_s), statistics.median(self.theirs_s)
        middle = f"{statistics.median(ratios):.2f} [{ratios[0]:.2f}, {ratios[-1]:.2f}]"
        return (
            f"{self.name:44} {seconds(ours):>10} {seconds(theirs):>10}   {middle:21} {self.goal}  {self.note}"
        )


def take_turns(
    ours: Callable[[], object], theirs: Callable[[], object], rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds of each turn: ours, theirs, ours, theirs …"""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for call, taken in zip((ours, theirs), times, strict=True):
            started = time.perf_counter()
            call()
            taken.append(time.perf_counter() - started)
    return times


def run(*command: object) -> str:
    """Run a program to its end; its stdout. Exit code 3 is cbir's "some files were skipped"."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def seconds(value: float) -> str:
    """With a unit that fits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if value >= size:
            return f"{value / size:.2f} {unit}"
    return f"{value / 1e-6:.0f} µs"
