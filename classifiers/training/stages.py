"""The stages of a training: each with an optimiser of its own, from the best weights so far."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn

from cbir.training.loop.checkpoint import BEST, LAST, Checkpoint, read_checkpoint
from cbir.training.loop.epochs import LoopSettings, accelerator_of
from cbir.training.loop.keeping import keep_epoch
from cbir.training.loop.trainer import Trainer
from cbir.training.loop.troubles import memory_named
from classifiers.losses.create import create_loss
from classifiers.training.history import EpochDone, best_of, is_over, of_stage
from classifiers.training.optimise import StageOptimiser
from classifiers.training.validation import validate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from cbir.training.feeding.feed import Feed
    from classifiers.networks.network import ClassifierNetwork
    from classifiers.recipe import ClassifierRecipe

_NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Trained:
    """A training that has ended.

    Args:
        history: of all epochs.
        best: whose weights the network has now.
    """

    history: tuple[EpochDone, ...]
    best: EpochDone


def train_stages(
    recipe: ClassifierRecipe,
    feed: Feed,
    network: ClassifierNetwork,
    folder: Path,
    *,
    settings: LoopSettings | None = None,
    on_epoch: Callable[[EpochDone], None] | None = None,
    resumes: bool = False,
) -> Trained:
    """Train a network, and give it the weights of its best epoch.

    A stage begins with the best weights so far, whichever stage they are of. Interrupted or killed, there are
    checkpoints after the last whole epoch and after the best.

    Args:
        recipe: what to do.
        feed: labelled images.
        network: trained in place.
        folder: of the checkpoints; must exist.
        settings: how it is run; its ``on_epoch`` is not asked.
        on_epoch: told of every epoch.
        resumes: go on from the folder's checkpoint, where there is one.

    Raises:
        SpecError: fewer than two images of a batch for each process.
        TrainingError: out of memory, a loss that is no number, a disk that refused, or a checkpoint of
            another training.
    """
    loop = _Loop(recipe, feed, network, folder, settings or LoopSettings(), on_epoch)
    history: tuple[EpochDone, ...] = ()
    if resumes and (folder / LAST).exists():
        loop.read(BEST)  # is needed at the end, and fails now
        history = loop.read(LAST).history
    for number, stage in enumerate(recipe.stages, start=1):
        if not is_over(stage, of_stage(history, number)):
            history = loop.run(number, history)
    Answering(network).load_state_dict(loop.read(BEST).part(_NETWORK))
    best = best_of(history)
    if best is None:
        raise ValueError(f"The recipe has {recipe.n_epochs} epochs.")
    return Trained(history, best)


class Answering(nn.Module):
    """A classifier as the loop asks it: of what it answers, the logits alone."""

    def __init__(self, network: ClassifierNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor, described: Tensor | None = None) -> tuple[Tensor]:
        """Give (B, n_classes)."""
        logits, _features = self.network(pixels, described)
        return (logits,)


class OneLoss(nn.Module):
    """A recipe's loss as the loop asks it.

    Args:
        name: of it.
        loss: logits and codes to a number.
    """

    def __init__(self, name: str, loss: nn.Module) -> None:
        super().__init__()
        self.names = (name,)
        self.loss = loss

    def forward(self, logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Measure it, by its name."""
        return {self.names[0]: self.loss(logits.float(), labels)}

    def total(self, measured: Mapping[str, Tensor]) -> Tensor:
        """The one."""
        return measured[self.names[0]]


@dataclass(frozen=True, slots=True)
class _Loop:
    recipe: ClassifierRecipe
    feed: Feed
    network: ClassifierNetwork
    folder: Path
    settings: LoopSettings
    on_epoch: Callable[[EpochDone], None] | None

    def run(self, number: int, history: tuple[EpochDone, ...]) -> tuple[EpochDone, ...]:
        """Run a stage to its end, or what is left of it."""
        stage, done = self.recipe.stages[number - 1], of_stage(history, number)
        self.network.let_learn(stage.learns)
        optimiser = StageOptimiser(
            stage,
            self.network.stage_parameters(stage.learns),
            first=len(history) - len(done),
            losses=[each.validation_loss for each in done],
        )
        trainer = self._trainer(optimiser)
        if done:
            trainer.restore(self.read(LAST))
        elif history:
            trainer.network.load_state_dict(self.read(BEST).part(_NETWORK))
        while not is_over(stage, of_stage(history, number)):
            with memory_named(self.recipe, trainer.device, len(history) + 1):
                history = (*history, self._epoch(trainer, number, history))
            optimiser.take(history[-1].validation_loss)
            keep_epoch(trainer, self.folder, history, is_best=best_of(history) is history[-1])
            if self.on_epoch:
                self.on_epoch(history[-1])
        trainer.finish()
        return history

    def read(self, name: str) -> Checkpoint[EpochDone]:
        """Read a checkpoint of this training."""
        return read_checkpoint(self.folder / name, self.recipe, self.feed.sha256, EpochDone.from_dict)

    def _trainer(self, optimiser: StageOptimiser) -> Trainer:
        return Trainer(
            self.recipe,
            self.feed,
            Answering(self.network),
            OneLoss(self.recipe.loss.name, create_loss(self.recipe.loss)),
            optimiser,
            accelerator=accelerator_of(self.settings),
            compiles=self.settings.compiles,
        )

    def _epoch(self, trainer: Trainer, number: int, history: tuple[EpochDone, ...]) -> EpochDone:
        started = time.perf_counter()
        steps = trainer.run_epoch(len(history), self.settings.on_step)
        trained = time.perf_counter()
        found = validate(self.feed, trainer.answer(self.feed.validation), create_loss(self.recipe.loss))
        return EpochDone(
            epoch=len(history) + 1,
            stage=number,
            step=steps.n_steps + (history[-1].step if history else 0),
            loss=steps.loss,
            rate=steps.rates[0],
            validation_loss=found.loss,
            macro_f1=found.macro_f1,
            accuracy=found.accuracy,
            constant=found.constant,
            train_s=trained - started,
            validation_s=time.perf_counter() - trained,
            images_per_s=steps.n_images / (trained - started),
        )
