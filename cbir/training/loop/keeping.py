"""What a training remembers after an epoch, and how it goes on from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cbir.training.loop.checkpoint import BEST, LAST, Checkpoint, write_checkpoint

if TYPE_CHECKING:
    from pathlib import Path

    from cbir.training.loop.parts import EpochTold
    from cbir.training.loop.trainer import Trainer

_NETWORK = "network."


def keep_epoch(trainer: Trainer, folder: Path, history: tuple[EpochTold, ...], *, is_best: bool) -> None:
    """Write the checkpoints of an epoch; of several processes the first one does, and all wait.

    Best before last: a kill between the two repeats the epoch, and writes the best again.

    Args:
        trainer: whose tensors they are.
        folder: of the checkpoints.
        history: of all epochs, the last one just done.
        is_best: whether that is the best so far.

    Raises:
        TrainingError: the disk refused.
    """
    if trainer.ranks.rank == 0:
        tensors = trainer.tensors()
        recipe, feed = trainer.recipe, trainer.feed.sha256
        if is_best:
            network = {name: tensor for name, tensor in tensors.items() if name.startswith(_NETWORK)}
            write_checkpoint(folder / BEST, Checkpoint(recipe, feed, history, network))
        write_checkpoint(folder / LAST, Checkpoint(recipe, feed, history, tensors))
    trainer.wait()
