"""Drawing that depends on the seed alone: not on what was drawn before, nor on who draws besides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def drawn_from(*seeds: int, device: torch.device | None = None) -> Iterator[None]:
    """Draw torch's random numbers from these seeds within the block; outside, nothing has happened.

    Dropout and the first weights of a layer know no other source than torch's global one.

    Args:
        seeds: the recipe's; then the epoch and the process, where they matter.
        device: whose numbers are drawn, beside the CPU's.
    """
    devices = [device] if device is not None and device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(int(np.random.SeedSequence(seeds).generate_state(1, np.uint64)[0]))
        yield
