"""Epochs: steps, a validation, a checkpoint; until there are enough, or it gets no better."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import torch
from accelerate import Accelerator
from torch.nn.functional import normalize

from cbir.training.loop.checkpoint import BEST, LAST, Checkpoint, read_checkpoint
from cbir.training.loop.history import EpochDone, StepDone, best_of
from cbir.training.loop.keeping import keep_epoch
from cbir.training.loop.network import embedding_weights
from cbir.training.loop.optimise import Optimisers
from cbir.training.loop.trainer import Trainer
from cbir.training.loop.troubles import memory_named
from cbir.training.loop.validation import validate
from cbir.training.losses.create import WeightedLosses
from cbir.training.seeds import drawn_from

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from cbir.training.feeding.feed import Feed
    from cbir.training.loop.network import TrainedNetwork
    from cbir.training.recipe import NetworkRecipe

Precision: TypeAlias = Literal["auto", "float32", "bfloat16"]
"""Of the network's numbers in a step; ``auto`` is bfloat16 on a GPU that has it."""


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How a training is run, not what it learns.

    Args:
        device: ``cpu``, or None for the GPU of this process where there is one.
        precision: of the steps; weights and losses are float32 always.
        compiles: whether torch compiles the network first: a minute or more, which many epochs pay back.
        on_step: told of every step, one step late.
        on_epoch: told of every epoch.
    """

    device: Literal["cpu"] | None = None
    precision: Precision = "auto"
    compiles: bool = False
    on_step: Callable[[StepDone], None] | None = None
    on_epoch: Callable[[EpochDone], None] | None = None


@dataclass(frozen=True, slots=True)
class Trained:
    """A training that has ended.

    Args:
        history: of all epochs.
        best: whose weights the network has now.
        weights: those of the embedding, as ``build_backbone`` reads them.
        is_stopped: for want of patience, before all epochs were done.
    """

    history: tuple[EpochDone, ...]
    best: EpochDone
    weights: dict[str, Tensor]
    is_stopped: bool


def train_network(
    recipe: NetworkRecipe,
    feed: Feed,
    network: TrainedNetwork,
    folder: Path,
    *,
    settings: LoopSettings | None = None,
    resumes: bool = False,
) -> Trained:
    """Train a network, and give it the weights of its best epoch.

    Interrupted or killed, it leaves its checkpoints after the last whole epoch and after the best. Several
    processes that torchrun started each take their share of every batch; the first one writes.

    Args:
        recipe: what to do.
        feed: labelled images.
        network: as ``start_network`` made it; trained in place.
        folder: of the checkpoints; must exist.
        settings: how it is run.
        resumes: go on from the folder's checkpoint, where there is one.

    Raises:
        SpecError: fewer than two images of a batch for each process.
        TrainingError: out of memory, a loss that is no number, a disk that refused, or a checkpoint of
            another training.
    """
    settings = settings or LoopSettings()
    trainer = _trainer(recipe, feed, network, settings)
    history = _resume(trainer, folder) if resumes and (folder / LAST).exists() else ()
    while len(history) < recipe.epochs and not _is_out_of_patience(recipe, history):
        with memory_named(recipe, trainer.device, len(history) + 1):
            history = (*history, _epoch(trainer, history, settings))
        keep_epoch(trainer, folder, history, is_best=best_of(history) is history[-1])
        if settings.on_epoch:
            settings.on_epoch(history[-1])
    trainer.network.load_state_dict(_read(trainer, folder / BEST).part("network"))
    trainer.finish()
    best = best_of(history)
    if best is None:
        raise ValueError(f"The recipe has {recipe.epochs} epochs.")
    return Trained(history, best, embedding_weights(network), is_stopped=len(history) < recipe.epochs)


def _trainer(recipe: NetworkRecipe, feed: Feed, network: TrainedNetwork, settings: LoopSettings) -> Trainer:
    with drawn_from(recipe.seed):
        losses = WeightedLosses(recipe.losses, feed.n_classes, network.dim)
    optimisers = Optimisers(recipe, network, losses)
    return Trainer(
        recipe,
        feed,
        network,
        losses,
        optimisers,
        accelerator=accelerator_of(settings),
        compiles=settings.compiles,
    )


def _embed(trainer: Trainer, indices: NDArray[np.int64]) -> NDArray[np.float32]:
    """Embed images as a search will: (n, dim), unit rows."""
    return normalize(trainer.answer(indices), dim=1).numpy()


def _epoch(trainer: Trainer, history: tuple[EpochDone, ...], settings: LoopSettings) -> EpochDone:
    started = time.perf_counter()
    steps = trainer.run_epoch(len(history), settings.on_step)
    trained = time.perf_counter()
    feed = trainer.feed
    found = validate(feed, _embed(trainer, feed.train), _embed(trainer, feed.validation))
    return EpochDone(
        epoch=len(history) + 1,
        step=steps.n_steps + (history[-1].step if history else 0),
        loss=steps.loss,
        terms=steps.terms,
        rates=steps.rates,
        precision=found.precision,
        random=found.random,
        train_s=trained - started,
        validation_s=time.perf_counter() - trained,
        images_per_s=steps.n_images / (trained - started),
    )


def _is_out_of_patience(recipe: NetworkRecipe, history: tuple[EpochDone, ...]) -> bool:
    best = best_of(history)
    return best is not None and len(history) - best.epoch >= recipe.patience


def _resume(trainer: Trainer, folder: Path) -> tuple[EpochDone, ...]:
    _read(trainer, folder / BEST)  # is needed at the end, and fails now
    last = _read(trainer, folder / LAST)
    trainer.restore(last)
    return last.history


def _read(trainer: Trainer, path: Path) -> Checkpoint[EpochDone]:
    return read_checkpoint(path, trainer.recipe, trainer.feed.sha256, EpochDone.from_dict)


def accelerator_of(settings: LoopSettings) -> Accelerator:
    """The device, its precision and how many there are, as settings say."""
    is_cpu = settings.device == "cpu" or not torch.cuda.is_available()
    has_bfloat16 = not is_cpu and torch.cuda.is_bf16_supported()
    wants = settings.precision == "bfloat16" or (settings.precision == "auto" and has_bfloat16)
    return Accelerator(cpu=is_cpu, mixed_precision="bf16" if wants else "no")
