"""A recipe that trains a network: decode, train, publish the best so far after every epoch that is one."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cbir.durable import write_text
from cbir.errors import ItemsError
from cbir.training.feeding.decoded import decode_images, network_plans
from cbir.training.feeding.decoded_feed import DecodedFeed
from cbir.training.loop.history import EpochDone, best_of
from cbir.training.preflight import check_material
from cbir.training.run.curves import draw_history
from cbir.training.run.events import write_events
from cbir.training.run.publish import Made, publish

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cbir.extractors.spec import ExtractorSpec
    from cbir.images.steps import JSON
    from cbir.training.feeding.decoded import Decoded
    from cbir.training.loop.epochs import Trained
    from cbir.training.loop.network import TrainedNetwork
    from cbir.training.loop.start import Start
    from cbir.training.material import Material
    from cbir.training.recipe import NetworkRecipe
    from cbir.training.run.folder import RunFolder
    from cbir.training.run.options import RunOptions, Watcher

_TRAINED = "trained.safetensors"
_N_SHOWN = 3


def check_network(recipe: NetworkRecipe, material: Material) -> tuple[str, ...]:
    """See that the recipe can be followed with these images; notes on what is poorer for it.

    Raises:
        ItemsError: it can't.
    """
    if recipe.needs_order and not material.is_ordinal:
        shown = ", ".join(map(repr, material.classes[:_N_SHOWN]))
        raise ItemsError(
            f"{material.source}: recipe {recipe.name!r} takes grades, whole numbers, and the labels are "
            f"{shown}. Name a column of grades with --label, or take metric-learning."
        )
    return check_material(
        material, classes_per_batch=recipe.batches.n_classes, images_per_class=recipe.batches.per_class
    )


def run_network(
    recipe: NetworkRecipe,
    material: Material,
    start: Start,
    run: RunFolder,
    *,
    options: RunOptions,
    watch: Watcher,
    resume: bool,
) -> Mapping[str, JSON]:
    """Train, in all processes; whatever interrupts it, the folder keeps the best extractor so far.

    Returns:
        What the choice of the epoch says of itself.

    Raises:
        CbirError: as ``decode_images`` and ``train_network``.
    """
    watch.begin("decoding", len(material.images))
    decoded = options.processes.once(
        lambda: decode_images(
            material,
            network_plans(start.spec, start.branch, recipe.cache_px),
            options.cache,
            read=start.spec.read,
            decoding=options.decoding,
            on_file=watch.advance,
        )
    )
    check_network(recipe, decoded.material)
    trained = _Training(recipe, start, run, options, watch).train(decoded, resume=resume)
    return {
        "epoch": trained.best.epoch,
        "of epochs": len(trained.history),
        "macro P@10": trained.best.precision,
        "random": trained.best.random,
    }


def read_history(path: Path) -> list[EpochDone]:
    """The epochs that a run's history tells; none without one."""
    if not path.is_file():
        return []
    return [EpochDone.from_dict(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


@dataclass(slots=True)
class _Training:
    """A network on its way."""

    recipe: NetworkRecipe
    start: Start
    run: RunFolder
    options: RunOptions
    watch: Watcher
    history: list[EpochDone] = field(default_factory=list)

    def train(self, decoded: Decoded, *, resume: bool) -> Trained:
        """Train to the end; the network then has its best weights, and the folder too."""
        from cbir.extractors.checkpoint import read_checkpoint
        from cbir.training.loop.epochs import LoopSettings, train_network
        from cbir.training.loop.network import start_network, trained_branch

        feed = DecodedFeed(decoded, self.start.branch, self.recipe)
        weights = self.start.weights
        tensors = read_checkpoint(weights.path, allow_pickle=self.options.allow_pickle or weights.pinned)
        network = start_network(
            self.recipe, self.start.branch, tensors, feed.n_classes, source=str(weights.path)
        )
        becomes = replace(
            self.start.spec, branches=(trained_branch(self.recipe, self.start.branch),), projection=None
        )
        settings = LoopSettings(
            device="cpu" if self.options.torch_device == "cpu" else None,
            compiles=self.options.compiles,
            on_step=self.watch.step,
            on_epoch=(lambda done: self._take(done, network, becomes)) if self._is_first else None,
        )
        self.watch.begin("training", self.recipe.epochs)
        if self._is_first:
            self.run.checkpoints.mkdir(exist_ok=True)
        trained = train_network(
            self.recipe, feed, network, self.run.checkpoints, settings=settings, resumes=resume
        )
        if self._is_first:
            self.history = list(trained.history)
            self._publish(network, becomes)
            self._draw()
        return trained

    @property
    def _is_first(self) -> bool:
        return self.options.processes.is_first

    def _take(self, done: EpochDone, network: TrainedNetwork, becomes: ExtractorSpec) -> None:
        """Write down an epoch; where it is the best so far, it is the extractor from now on."""
        before = [each for each in read_history(self.run.history) if each.epoch < done.epoch]
        self.history = [*before, done]
        is_best = best_of(tuple(self.history)) is done
        if is_best:
            self._publish(network, becomes)
        self._draw()
        write_events(self.run.events, [done])
        self.watch.epoch(done, is_best=is_best)

    def _publish(self, network: TrainedNetwork, becomes: ExtractorSpec) -> None:
        from safetensors.torch import save_file

        from cbir.training.loop.network import embedding_weights

        file = self.run.checkpoints / _TRAINED
        named = embedding_weights(network)
        save_file({name: each.detach().cpu().contiguous() for name, each in named.items()}, file)
        name = f"{self.recipe.name}, from {self.start.weights.ref.name}"
        remark = f"Trained by cbir train {self.recipe.name}: see card.md. Research use only."
        made = Made(becomes, (f"file:{file}",), (file,), names=(name,))
        publish(self.run.path, made, remarks=[remark])
        file.unlink()

    def _draw(self) -> None:
        lines = [json.dumps(each.to_dict()) for each in self.history]
        write_text(self.run.history, "".join(f"{line}\n" for line in lines))
        write_text(self.run.curves, draw_history(self.history))
