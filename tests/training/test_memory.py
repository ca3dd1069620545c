"""Freed memory is kept."""

from __future__ import annotations

import resource
import subprocess
import sys

STEPS = """
import resource, torch
from cbir.training.loop.memory import keep_freed_memory

keep_freed_memory()
for _ in range(30):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    large = torch.ones(64 << 18)
    del large
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_a_step_takes_again_what_the_last_one_freed():
    done = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=True)
    faults = list(map(int, done.stdout.split()))
    assert faults[0] > 64 * 2**20 / resource.getpagesize() / 2
    assert sum(faults[20:]) < faults[0]  # an aligned block fits where one was only after some have been freed
