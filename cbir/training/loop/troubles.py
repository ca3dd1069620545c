"""What can go wrong in the middle of a training, in one line that says what to change."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from cbir.errors import TrainingError

if TYPE_CHECKING:
    from cbir.training.loop.parts import LoopRecipe

_CPU_SAYS = ("DefaultCPUAllocator", "can't allocate memory", "not enough memory")


@contextmanager
def memory_named(recipe: LoopRecipe, device: torch.device, epoch: int) -> Iterator[None]:
    """Say of memory that runs out which setting to lower.

    Args:
        recipe: its settings.
        device: whose memory it is.
        epoch: from 1.

    Raises:
        TrainingError: memory ran out within the block.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        is_cpu_full = any(words in str(error) for words in _CPU_SAYS)
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and not is_cpu_full:
            raise
        batches = recipe.batches
        makeup = (
            f" of {batches.n_classes} classes x per_class = {batches.per_class}" if batches.per_class else ""
        )
        side = f"side_px = {recipe.side_px}" if recipe.side_px else "side_px, which is the extractor's own"
        raise TrainingError(
            f"Out of memory on {device} in epoch {epoch}. Lower batches.size = {batches.size}{makeup}, or "
            f"{side}; or give it more processes."
        ) from error


def check_finite(recipe: LoopRecipe, epoch: int, step: int, total: float, terms: Mapping[str, float]) -> None:
    """Stop at a loss that is no number, before it is in a checkpoint.

    Raises:
        TrainingError: names the term, and what to try.
    """
    if math.isfinite(total):
        return
    culprits = ", ".join(name for name, value in terms.items() if not math.isfinite(value)) or "their sum"
    raise TrainingError(
        f"Epoch {epoch}, step {step}: the loss is {total} ({culprits}). Nothing of this epoch is kept. Lower "
        f"{recipe.rates_hint}."
    )
